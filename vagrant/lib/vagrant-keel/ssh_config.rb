# frozen_string_literal: true

require "digest"
require "fileutils"

module VagrantPlugins
  module Keel
    # How a machine is reached, as a file in the form of ssh_config(5) that keel takes for its inventory. It stands below the machine's data
    # directory, with a known_hosts of its own beside it: a box is new each time, so its key is taken when it is first seen and held
    # against it from then on. The user's own known_hosts is neither read nor written.
    class SshConfig
      # `id` is the machine's: the next one of the same name has another, and another key.
      def initialize(info, host:, data_dir:, id:)
        @info = info
        @host = host
        @dir  = File.join(data_dir.to_s, "keel", Digest::SHA256.hexdigest(id.to_s)[0, 16])
      end

      # Writes it, and answers where.
      def write
        FileUtils.mkdir_p(@dir, mode: 0o700)
        path = File.join(@dir, "ssh_config")
        File.write("#{path}.new", text, perm: 0o600)
        File.rename("#{path}.new", path)
        path
      end

      # The file.
      def text
        lines = ["HostName #{@info[:host]}", "Port #{@info[:port]}", "User #{@info[:username]}"]
        lines += @info[:private_key_path].map { |path| "IdentityFile #{quoted(path)}" }
        lines << "IdentitiesOnly yes" if @info[:keys_only]
        lines << "ProxyCommand #{@info[:proxy_command]}" if @info[:proxy_command]
        lines << "UserKnownHostsFile #{quoted(File.join(@dir, 'known_hosts'))}"
        lines << "GlobalKnownHostsFile none" << "HashKnownHosts no" << "StrictHostKeyChecking accept-new"
        # Last: of two that say something the first counts.
        lines << "Include #{quoted(@info[:config])}" if @info[:config].is_a?(String)
        "Host #{@host}\n#{lines.map { |line| "  #{line}\n" }.join}"
      end

      private

      # A path that stands for itself: a `%` is no token, a blank no end.
      def quoted(path)
        %("#{path.to_s.gsub('%', '%%').gsub(/["\\]/) { |one| "\\#{one}" }}")
      end
    end
  end
end
