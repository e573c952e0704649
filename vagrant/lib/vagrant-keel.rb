# frozen_string_literal: true

# What `vagrant plugin install vagrant-keel`, and `Vagrant.require_plugin`, load.
require "vagrant"
require "vagrant-keel/plugin"
