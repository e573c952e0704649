# frozen_string_literal: true

require_relative "lib/vagrant-keel/version"

Gem::Specification.new do |spec|
  spec.name        = "vagrant-keel"
  spec.version     = VagrantPlugins::Keel::VERSION
  spec.summary     = "Provisions Vagrant's machines with Evenkeel"
  spec.description = "Runs `keel apply` on the host machine, over the machine's own SSH settings. The machine needs nothing but sshd and sudo."
  spec.authors     = ["The Evenkeel developers"]
  spec.licenses    = ["MIT", "Apache-2.0"]
  spec.required_ruby_version = ">= 2.7"
  spec.files       = Dir.chdir(__dir__) { Dir["lib/**/*.rb", "locales/*.yml", "README.md"] }
  # Nothing: Vagrant brings all that it needs, and a plugin without dependencies is installed without a network.
end
