# frozen_string_literal: true

require "tmpdir"
require "vagrant-keel/provisioner"

# Which program is run.
class ProvisionerTest < Minitest::Test
  Env     = Struct.new(:root_path)
  Machine = Struct.new(:env)
  Config  = Struct.new(:binary)

  def program(binary, root)
    VagrantPlugins::Keel::Provisioner.new(Machine.new(Env.new(root)), Config.new(binary)).send(:program)
  end

  def test_a_bare_name_is_one_of_path_and_nothing_that_lies_about
    Dir.mktmpdir do |dir|
      file = File.join(dir, "keel-here")
      File.write(file, "#!/bin/sh\n", perm: 0o755)
      Dir.chdir(dir) { assert_raises(VagrantPlugins::Keel::Errors::KeelNotFound) { program("keel-here", dir) } }
      assert_equal file, program("./keel-here", dir)
      assert_match(%r{\A/.*/sh\z}, program("sh", dir))
    end
  end
end
