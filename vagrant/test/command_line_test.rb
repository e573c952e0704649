# frozen_string_literal: true

require "vagrant-keel/command_line"
require "vagrant-keel/config"

# From options to arguments.
class CommandLineTest < Minitest::Test
  def words(**options)
    config = VagrantPlugins::Keel::Config.new
    config.set_options(options)
    config.finalize!
    VagrantPlugins::Keel::CommandLine.new(config, program: "/bin/keel", inventory: "/d/ssh_config", host: "web").words
  end

  def test_a_site_with_roles
    wanted = %w[/bin/keel apply --yes --inventory ssh:/d/ssh_config --site . --role a --role b -- web]
    assert_equal wanted, words(site: ".", roles: ["a", :b])
  end

  def test_everything_else
    wanted = %w[/bin/keel plan --inventory ssh:/d/ssh_config --file f --set-file k.key=/run/key --only tls --skip slow --format json --wait-ssh 5m -- web]
    assert_equal wanted, words(file: "f", set_files: { "k.key" => "/run/key" }, only: "tls", skip: "slow", format: "json",
                               plan_only: true, args: %w[--wait-ssh 5m])
  end

  def test_values_are_toml_and_texts_stand_for_themselves
    {
      "a \"b\"" => 'web.x=a "b"', 80 => "web.x=80", true => "web.x=true",
      ["a \"b\"", "c\\d\n"] => 'web.x=["a \"b\"", "c\\\\d\\u000a"]',
      [{ "k e" => [1, true] }] => 'web.x=[{ "k e" = [1, true] }]'
    }.each do |value, wanted|
      assert_equal wanted, words(site: ".", set: { "web.x" => value })[8], value.inspect
      assert_equal wanted, words(site: ".", set: { web: { x: value } })[8], value.inspect
    end
    assert_equal 'web.x={ "a" = "b" }', words(site: ".", set: { "web.x" => { a: "b" } })[8]
  end
end
