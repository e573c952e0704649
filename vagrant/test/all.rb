# frozen_string_literal: true

# Every test of the plugin: `ruby -Ilib test/all.rb`. Needs Vagrant's library, and no machine.
require "minitest/autorun"
require "vagrant"
require "vagrant-keel"
VagrantPlugins::Keel.speak
Dir[File.join(__dir__, "*_test.rb")].sort.each { |file| require file }
