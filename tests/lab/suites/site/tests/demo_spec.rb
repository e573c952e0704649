require "serverspec"
set :backend, :exec

describe file("/etc/keel-demo.conf") do
  it { should be_mode 640 }
  its(:content) { should match(/^port 80$/) }
end

describe package("bats") do
  it { should be_installed }
end
