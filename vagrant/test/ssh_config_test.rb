# frozen_string_literal: true

require "tmpdir"
require "vagrant-keel/ssh_config"

# How a machine is reached.
class SshConfigTest < Minitest::Test
  INFO = { host: "127.0.0.1", port: 2222, username: "vagrant", private_key_path: ["/a b/%key\"", "/c"], keys_only: true }.freeze

  def file(info, id: "1")
    Dir.mktmpdir do |dir|
      path = VagrantPlugins::Keel::SshConfig.new(info, host: "web", data_dir: dir, id: id).write
      yield path, File.read(path).gsub(File.dirname(path), "DIR")
    end
  end

  def test_all_that_vagrant_says
    file(INFO.merge(proxy_command: "nc %h %p", config: "/etc/x")) do |path, text|
      assert_equal 0o600, File.stat(path).mode & 0o777
      assert_equal <<~TEXT, text
        Host web
          HostName 127.0.0.1
          Port 2222
          User vagrant
          IdentityFile "/a b/%%key\\""
          IdentityFile "/c"
          IdentitiesOnly yes
          ProxyCommand nc %h %p
          UserKnownHostsFile "DIR/known_hosts"
          GlobalKnownHostsFile none
          HashKnownHosts no
          StrictHostKeyChecking accept-new
          Include "/etc/x"
      TEXT
    end
  end

  def test_another_machine_of_the_same_name_has_another_known_hosts
    file(INFO) { |one, _| file(INFO, id: "2") { |two, _| refute_equal File.basename(File.dirname(one)), File.basename(File.dirname(two)) } }
  end
end
