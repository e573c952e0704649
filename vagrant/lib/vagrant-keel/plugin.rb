# frozen_string_literal: true

require "vagrant-keel/version"

module VagrantPlugins
  module Keel
    # Tells Vagrant what there is: a provisioner and its options. Both are loaded when they are first needed.
    class Plugin < Vagrant.plugin("2")
      name "keel"
      description "Provisions machines with Evenkeel: `keel apply` on the host machine, over the machine's SSH settings."

      config(:keel, :provisioner) do
        Keel.speak
        require "vagrant-keel/config"
        Config
      end

      provisioner(:keel) do
        Keel.speak
        require "vagrant-keel/provisioner"
        Provisioner
      end
    end

    # Adds the plugin's messages to Vagrant's, once.
    def self.speak
      path = File.expand_path("../../locales/en.yml", __dir__)
      return if I18n.load_path.include?(path)

      I18n.load_path << path
      I18n.reload!
    end
  end
end
