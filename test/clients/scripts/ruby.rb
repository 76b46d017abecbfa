# Ruby's net/ftp. scripts_test.go sets the environment; exit 0: all is right.
require 'net/ftp'
require 'fileutils'
$stdout.sync = true
$failed = 0
def check(what, good)
  $failed += 1 unless good
  puts((good ? 'ok   ' : 'FAIL ') + what)
end
def same(a, b) = File.exist?(a) && FileUtils.identical?(a, b)
there = "#{ENV['FTP_ROOT']}/#{ENV['FTP_DIR']}"
options = { port: ENV['FTP_PORT'].to_i, passive: true, username: 'alice', password: 'secret', read_timeout: 20 }
if ENV['FTP_TLS'] != 'plain'
  version = ENV['FTP_VERSION'] == '1.2' ? :TLS1_2 : :TLS1_3
  options[:ssl] = { ca_file: ENV['FTP_CA'], verify_hostname: false, min_version: version, max_version: version }
end
f = Net::FTP.new(ENV['FTP_HOST'], **options)
f.chdir("/#{ENV['FTP_DIR']}")
names = ['empty', 'a file', 'Grüße', %q(quo"te's)]
names.each do |n|
  f.putbinaryfile(n, n)
  check "put #{n}", same("#{there}/#{n}", n)
  f.getbinaryfile(n, 'got')
  check "get #{n}", same('got', n)
end
utf8 = ->(s) { s.dup.force_encoding('UTF-8') }
check 'nlst', f.nlst.map(&utf8).sort == names.sort
check 'mlsd', f.mlsd.select(&:file?).map { |e| utf8.(e.pathname) }.sort == names.sort
check 'list', f.list.size == names.size
check 'size', f.size('a file') == File.size('a file')
check 'mtime', (f.mtime('a file') - File.mtime("#{there}/a file")).abs < 2
check 'mkdir', f.mkdir('a "q"') == "/#{ENV['FTP_DIR']}/a \"q\""
f.chdir('a "q"')
check 'pwd', f.pwd == "/#{ENV['FTP_DIR']}/a \"q\""
f.chdir('..')
f.rmdir('a "q"')
check 'rmdir', !File.exist?("#{there}/a \"q\"")
f.puttextfile('text', 'text')
check 'put text', same("#{there}/text", 'text')
f.gettextfile('text', 'got')
check 'get text', same('got', 'text')
f.rename('text', 'b')
check 'rename', File.exist?("#{there}/b")
f.delete('b')
check 'delete', !File.exist?("#{there}/b")
f.putbinaryfile('large', 'large')
check 'put large', same("#{there}/large", 'large')
f.resume = true
IO.copy_stream('large', 'part', 1_000_001)
f.getbinaryfile('large', 'part')
check 'resumed get', same('part', 'large')
File.truncate("#{there}/large", 1_000_001)
f.putbinaryfile('large', 'large')
check 'resumed put', same("#{there}/large", 'large')
f.quit
f.close
exit($failed == 0)
