# SPDX-License-Identifier: MIT
# The pages of README in this folder, for Rack.  DELIBERATELY VULNERABLE.
require 'cgi'
require 'open3'
require 'rack'

PAGES = {
  'page' => ->(q) { "<p>Hello #{CGI.escapeHTML(q['name'] || 'visitor')}</p>\n" },
  'lookup' => lambda do |q|
    "answer: #{`getent hosts #{q['host']} 2>/dev/null`}"
  rescue SystemCallError => e
    "no answer: #{e.message}"
  end,
  'list' => ->(q) { "answer: #{Open3.capture2('/usr/bin/getent', 'hosts', q['host'])[0]}" },
  'form' => ->(q) { q.reject { |name, _| name == 'do' }.sort.map { |name, value| "#{name}=#{value}\n" }.join },
  'keep' => lambda do |q|
    path = "/tmp/app-#{q['id']}"
    File.open(path, 'a') { |out| out.puts 'seen' }
    visits = File.readlines(path).length
    File.unlink(path) if visits > 1
    "visits: #{visits}\n"
  end,
  'upload' => lambda do |q|
    File.binwrite("/srv/www/uploads/#{File.basename(q['file'][:filename])}", q['file'][:tempfile].read)
    "stored\n"
  rescue SystemCallError
    "refused\n"
  end,
  'mail' => lambda do |q|
    text = "To: #{q['to']}\nSubject: #{q['subject']}\n\nby ruby\n"
    Open3.capture2('/usr/sbin/sendmail', '-t', '-i', stdin_data: text)[1].success? ? "sent\n" : "not sent\n"
  rescue SystemCallError
    "not sent\n"
  end
}.freeze

run(lambda do |env|
  query = Rack::Request.new(env).params
  name = query['do'] || 'page'
  [200, { 'content-type' => name == 'page' ? 'text/html' : 'text/plain' }, [PAGES[name].call(query)]]
end)
