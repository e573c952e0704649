# frozen_string_literal: true

require "vagrant-keel/output"

# Lines, in colours.
class OutputTest < Minitest::Test
  def shown(*pieces)
    lines = []
    ui = Object.new
    ui.define_singleton_method(:detail) { |line, **options| lines << [line, options[:color]] }
    output = VagrantPlugins::Keel::Output.new(ui)
    pieces.each { |stream, data| output.take(stream, data) }
    output.finish
    lines
  end

  def test_pieces_become_lines_of_their_own_stream
    assert_equal [["note", nil], ["+ file./x", :green], ["tail", nil]],
                 shown([:stdout, "+ file"], [:stderr, "note\n"], [:stdout, "./x\nta"], [:stdout, "il"])
  end

  def test_signs_and_words_have_colours
    { "~ file./x" => :yellow, "? file./x" => :cyan, "- file./x" => :red, "failed: web: no" => :red, "error[x]: y" => :red,
      "    write_file /x" => nil, "web: run 1: 7 changed" => nil, "" => nil, "failure is an option" => nil }.each do |line, color|
      assert_equal [[line, color]], shown([:stdout, "#{line}\n"]), line
    end
  end

  def test_bytes_that_are_no_text_do_no_harm
    assert_equal [["a\u{fffd}é", nil]], shown([:stdout, "a\xff\xc3".b], [:stdout, "\xa9\n".b])
  end
end
