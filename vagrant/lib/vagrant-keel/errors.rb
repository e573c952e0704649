# frozen_string_literal: true

module VagrantPlugins
  module Keel
    # What stops an `up` or `provision`. The words are in locales/en.yml.
    module Errors
      # All of them.
      class KeelError < Vagrant::Errors::VagrantError
        error_namespace("vagrant_keel.errors")
      end

      # The program is not there.
      class KeelNotFound < KeelError
        error_key(:keel_not_found)
      end

      # The site has no keel.toml.
      class SiteNotFound < KeelError
        error_key(:site_not_found)
      end

      # The file of resources is not there.
      class FileNotFound < KeelError
        error_key(:file_not_found)
      end

      # The machine says nothing of SSH.
      class NoSsh < KeelError
        error_key(:no_ssh)
      end

      # The machine has a password and no key.
      class PasswordOnly < KeelError
        error_key(:password_only)
      end

      # keel ended with another status than 0.
      class KeelFailed < KeelError
        error_key(:keel_failed)
      end
    end
  end
end
