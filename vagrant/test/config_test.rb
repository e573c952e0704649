# frozen_string_literal: true

require "vagrant-keel/config"

# The options, as a Vagrantfile gives them.
class ConfigTest < Minitest::Test
  Config = VagrantPlugins::Keel::Config

  def config(**options)
    Config.new.tap do |config|
      config.set_options(options)
      config.finalize!
    end
  end

  def wrong(**options)
    config(**options).validate(nil).fetch("keel provisioner")
  end

  def test_a_site_is_enough
    assert_empty wrong(site: ".")
    plain = config(site: ".")
    assert_equal [[], {}, "human", "keel", false], [plain.roles, plain.set, plain.format, plain.binary, plain.plan_only]
  end

  def test_what_is_right
    assert_empty wrong(site: "s", roles: :web, set: { "web.port" => 1 }, only: "tls", skip: %w[a b], host: "web-1.test",
                       plan_only: true, format: :json, verbose: true, binary: "~/bin/keel", args: ["--rollback-on-failure"])
    assert_empty wrong(file: "site.toml", set: { text: "x" })
  end

  def test_a_text_stands_for_a_list_of_one
    assert_equal %w[web], config(site: ".", roles: "web").roles
  end

  def test_what_is_wrong_is_said
    {
      { roles: "web" } => "Nothing says what to apply. Set `site` to the directory that holds keel.toml,\nor `file` to one file of resources.",
      { file: "f", roles: "web" } => "`file` is applied without a site: `roles` has no meaning beside it.",
      { file: "f", site: "." } => "`file` is applied without a site: `site` has no meaning beside it.",
      { site: 1 } => "`site` must be a text that is not empty.",
      { site: ".", args: 1 } => "`args` must be a text or a list of texts.",
      { site: ".", set: "a=b" } => '`set` must be a hash, such as { "web.port" => 8080 }.',
      { site: ".", plan_only: 1 } => "`plan_only` must be true or false.",
      { site: ".", format: "xml" } => '`format` must be "human" or "json", not "xml".'
    }.each { |options, message| assert_equal [message], wrong(**options), options.inspect }
    assert_match(/\A`host` must be a name: .* It is "-x"\.\z/m, wrong(site: ".", host: "-x").first)
  end

  def test_an_unknown_option_is_vagrants_to_say_and_ours_to_correct
    message = ["The following settings shouldn't exist: rolls, zzz", "`rolls` is no option: did you mean `roles`?"]
    assert_equal message, wrong(site: ".", rolls: 1, zzz: 2)
  end

  def test_values_of_two_vagrantfiles_are_joined
    one, two = { "a.x" => 1, "a.y" => 1 }, { "a.y" => 2 }
    merged = Config.new.tap { |c| c.set_options(site: "s", set: one) }.merge(Config.new.tap { |c| c.set_options(set: two) })
    merged.finalize!
    assert_equal [{ "a.x" => 1, "a.y" => 2 }, "s"], [merged.set, merged.site]
    one, two = { a: { x: 1, y: 1 } }, { a: { y: 2 } }
    merged = Config.new.tap { |c| c.set_options(set: one) }.merge(Config.new.tap { |c| c.set_options(set: two) })
    assert_equal({ "a.x" => 1, "a.y" => 2 }, merged.set)
  end
end
