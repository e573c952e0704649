# frozen_string_literal: true

require "did_you_mean"
require "vagrant-keel/command_line"

module VagrantPlugins
  module Keel
    # The options of a provisioner, as a Vagrantfile gives them. It looks at no file and starts nothing: that is the provisioner's.
    class Config < Vagrant.plugin("2", :config)
      # The directory that holds keel.toml, from the Vagrantfile's. One of `site` and `file` is needed.
      attr_accessor :site
      # Resources straight from one TOML file, without a site.
      attr_accessor :file
      # Roles of the machine, besides those that hosts.toml gives a host of its name.
      attr_accessor :roles
      # Values of inputs: { "web.port" => 8080 } or { "web" => { "port" => 8080 } }.
      attr_accessor :set
      # The same by files that hold them, for secrets: the arguments of a program are shown to everybody.
      attr_accessor :set_files
      # Only resources with one of these tags.
      attr_accessor :only
      # Not the resources with one of these tags.
      attr_accessor :skip
      # The machine's name in hosts.toml; its name in the Vagrantfile unless said.
      attr_accessor :host
      # Shows what would be done, and does nothing.
      attr_accessor :plan_only
      # "human" or "json".
      attr_accessor :format
      # Shows the command that is run.
      attr_accessor :verbose
      # The program: a name that PATH knows, or a path, from the Vagrantfile's directory.
      attr_accessor :binary
      # Further arguments for `keel apply`.
      attr_accessor :args

      OPTIONS = %i[site file roles set set_files only skip host plan_only format verbose binary args].freeze
      FORMATS = %w[human json].freeze
      LISTS   = %i[roles only skip args].freeze
      TEXTS   = %i[site file host binary].freeze
      # As keel has it for hosts.
      HOST    = /\A[A-Za-z0-9][A-Za-z0-9._-]*\z/

      def initialize
        super
        OPTIONS.each { |option| instance_variable_set(:"@#{option}", UNSET_VALUE) }
      end

      def finalize!
        defaults = { set: {}, set_files: {}, plan_only: false, format: "human", verbose: false, binary: "keel" }
        OPTIONS.each do |option|
          value = public_send(option)
          value = LISTS.include?(option) ? [] : defaults[option] if value == UNSET_VALUE
          value = [value] if LISTS.include?(option) && (value.is_a?(String) || value.is_a?(Symbol))
          instance_variable_set(:"@#{option}", value)
        end
        @format = @format.to_s if @format.is_a?(Symbol)
      end

      # Values of a less specific Vagrantfile stay where a more specific one does not say others.
      def merge(other)
        super.tap do |result|
          %i[set set_files].each do |option|
            both = [public_send(option), other.public_send(option)].select { |value| value.is_a?(Hash) }
            result.public_send(:"#{option}=", both.map { |table| CommandLine.flat(table) }.reduce(:merge)) if both.size == 2
          end
        end
      end

      # What is wrong, under the provisioner's name. Vagrant shows it and stops before anything has begun.
      def validate(_machine)
        { I18n.t("vagrant_keel.provisioner") => _detected_errors + suggestions + sources + types }
      end

      private

      def say(key, **words)
        I18n.t("vagrant_keel.config.#{key}", **words)
      end

      def suggestions
        checker = DidYouMean::SpellChecker.new(dictionary: OPTIONS)
        (@__invalid_methods || []).to_a.sort.filter_map do |word|
          near = checker.correct(word).first
          say("did_you_mean", word: word, near: near) if near
        end
      end

      def sources
        return [say("nothing_to_apply")] unless site || file
        return [] unless file

        %i[site roles host].reject { |one| [nil, []].include?(public_send(one)) }.map { |one| say("file_and", option: one) }
      end

      def types
        wrong = TEXTS.reject { |one| public_send(one).nil? || text?(public_send(one)) }.map { |one| say("no_text", option: one) }
        wrong += LISTS.reject { |one| list?(public_send(one)) }.map { |one| say("no_list", option: one) }
        wrong += %i[set set_files].reject { |one| public_send(one).is_a?(Hash) }.map { |one| say("no_table", option: one) }
        wrong += %i[plan_only verbose].reject { |one| [true, false].include?(public_send(one)) }.map { |one| say("no_flag", option: one) }
        wrong << say("bad_format", value: format.inspect) unless FORMATS.include?(format)
        wrong << say("bad_host", value: host.inspect) if text?(host) && !HOST.match?(host)
        wrong
      end

      def text?(value)
        value.is_a?(String) && !value.empty?
      end

      def list?(value)
        value.is_a?(Array) && value.all? { |one| text?(one.to_s) }
      end
    end
  end
end
