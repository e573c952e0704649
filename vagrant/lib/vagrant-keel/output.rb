# frozen_string_literal: true

module VagrantPlugins
  module Keel
    # Shows what keel says through the machine's own way of speaking, line by line, in the colours that keel has for the same on a terminal.
    class Output
      # By the sign that begins a line, as in keel's plans.
      SIGNS  = { "+" => :green, "-" => :red, "~" => :yellow, ">" => :blue, "?" => :cyan, "!" => :red }.freeze
      # By the word that does.
      WRONG  = /\A(?:error|failed|unreachable|reverted)\b/.freeze

      def initialize(ui)
        @ui   = ui
        # Bytes: a piece may end within a character.
        @rest = { stdout: String.new, stderr: String.new }
      end

      # Takes what has come, which need not end with a line.
      def take(stream, data)
        rest = @rest.fetch(stream)
        rest << data.b
        while (ending = rest.index("\n"))
          show(rest.slice!(0..ending).chomp)
        end
      end

      # Shows what no newline has ended.
      def finish
        @rest.each_value do |rest|
          show(rest) unless rest.empty?
          rest.clear
        end
      end

      private

      def show(line)
        line  = line.dup.force_encoding(Encoding::UTF_8).scrub
        color = WRONG.match?(line) ? :red : SIGNS[line[/\A\s*(\S)(?: |@@)/, 1]]
        @ui.detail(line, **(color ? { color: color } : {}))
      end
    end
  end
end
