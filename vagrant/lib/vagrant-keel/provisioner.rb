# frozen_string_literal: true

require "shellwords"
require "vagrant/util/subprocess"
require "vagrant/util/which"
require "vagrant-keel/command_line"
require "vagrant-keel/errors"
require "vagrant-keel/output"
require "vagrant-keel/ssh_config"

module VagrantPlugins
  module Keel
    # Runs `keel apply` on the host machine, which pushes over the machine's SSH settings. The machine needs sshd and sudo, and nothing of
    # ours.
    class Provisioner < Vagrant.plugin("2", :provisioner)
      # Exit codes that are no failure: as desired; with `plan_only` also: changes pending.
      FINE    = [0].freeze
      PENDING = [0, 2].freeze

      def provision
        files_are_there
        host  = config.host || machine.name.to_s
        words = CommandLine.new(config, program: program, inventory: inventory(host), host: host).words
        machine.ui.detail(words.shelljoin) if config.verbose
        status = run(words)
        return if (config.plan_only ? PENDING : FINE).include?(status)

        raise Errors::KeelFailed, machine: machine.name.to_s, status: status, meaning: meaning(status)
      end

      private

      def root
        machine.env.root_path
      end

      def files_are_there
        if config.file
          path = File.expand_path(config.file, root)
          raise Errors::FileNotFound, path: path unless File.file?(path)
        else
          path = File.expand_path(config.site, root)
          raise Errors::SiteNotFound, path: path unless File.file?(File.join(path, "keel.toml"))
        end
      end

      def program
        name = config.binary
        # A path is one from the Vagrantfile's directory, wherever vagrant was called. A bare name is not looked for in either.
        if File.basename(name) == name && !name.start_with?("~")
          found = Vagrant::Util::Which.which(name)
        else
          name  = File.expand_path(name, root)
          found = name if File.executable?(name) && File.file?(name)
        end
        raise Errors::KeelNotFound, name: name unless found

        found
      end

      def inventory(host)
        info = machine.ssh_info
        raise Errors::NoSsh, machine: machine.name.to_s if info.nil? || machine.config.vm.communicator == :winrm
        raise Errors::PasswordOnly, machine: machine.name.to_s if info[:private_key_path].empty? && info[:password]

        SshConfig.new(info, host: host, data_dir: machine.data_dir, id: machine.id).write
      end

      def run(words)
        output = Output.new(machine.ui)
        options = { workdir: root.to_s, notify: %i[stdout stderr] }
        result = Vagrant::Util::Subprocess.execute(*words, options) { |stream, data| output.take(stream, data) }
        output.finish
        result.exit_code
      end

      # What keel's documentation says of the code.
      def meaning(status)
        I18n.t("vagrant_keel.exit.code_#{status}", default: I18n.t("vagrant_keel.exit.other"))
      end
    end
  end
end
