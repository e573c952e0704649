# frozen_string_literal: true

module VagrantPlugins
  module Keel
    # The arguments of `keel`, from the options of a provisioner. No shell sees them.
    class CommandLine
      # `inventory` is the file that says how the machine is reached.
      def initialize(config, program:, inventory:, host:)
        @config    = config
        @program   = program
        @inventory = inventory
        @host      = host
      end

      # { web: { port: 80 } } and { "web.port" => 80 } are the same: the latter.
      def self.flat(table)
        table.each_with_object({}) do |(key, value), all|
          if value.is_a?(Hash) && !key.to_s.include?(".")
            value.each { |input, one| all["#{key}.#{input}"] = one }
          else
            all[key.to_s] = value
          end
        end
      end

      # Program and arguments.
      def words
        [@program, *verb, "--inventory", "ssh:#{@inventory}", *source, *values, *tags, *format, *@config.args.map(&:to_s), "--", @host]
      end

      private

      def verb
        @config.plan_only ? ["plan"] : ["apply", "--yes"]
      end

      def source
        return ["--file", @config.file] if @config.file

        ["--site", @config.site, *@config.roles.flat_map { |role| ["--role", role.to_s] }]
      end

      def values
        set   = self.class.flat(@config.set).flat_map { |key, value| ["--set", "#{key}=#{toml(value)}"] }
        files = self.class.flat(@config.set_files).flat_map { |key, path| ["--set-file", "#{key}=#{path}"] }
        set + files
      end

      def tags
        %i[only skip].flat_map { |one| @config.public_send(one).flat_map { |tag| ["--#{one}", tag.to_s] } }
      end

      def format
        @config.format == "human" ? [] : ["--format", @config.format]
      end

      # A value of TOML. A string stands for itself, as on the command line; within a list or a table it is quoted.
      def toml(value, inner: false)
        case value
        when Hash  then "{ #{value.map { |key, one| "#{quoted(key)} = #{toml(one, inner: true)}" }.join(', ')} }"
        when Array then "[#{value.map { |one| toml(one, inner: true) }.join(', ')}]"
        when String, Symbol then inner ? quoted(value) : value.to_s
        else value.to_s
        end
      end

      # A basic string of TOML.
      def quoted(text)
        escaped = text.to_s.gsub(/["\\]/) { |one| "\\#{one}" }
        %("#{escaped.gsub(/[\u0000-\u001f\u007f]/) { |one| Kernel.format('\\u%04x', one.ord) }}")
      end
    end
  end
end
