<?php
// PHP's ext/ftp, as websites use it. scripts_test.go sets the environment; exit 0: all is right.
error_reporting(E_ALL);
set_error_handler(function ($level, $text) { echo "     PHP says: $text\n"; return true; });
$failed = 0;
function check($what, $good) {
	global $failed;
	if (!$good) { $failed++; }
	echo $good ? 'ok   ' : 'FAIL ', $what, "\n";
}
$there = getenv('FTP_ROOT') . '/' . getenv('FTP_DIR');
$connect = function () {
	$host = getenv('FTP_HOST'); $port = (int)getenv('FTP_PORT');
	$c = getenv('FTP_TLS') == 'plain' ? ftp_connect($host, $port, 20) : ftp_ssl_connect($host, $port, 20);
	if (!$c || !ftp_login($c, 'alice', 'secret')) { exit(2); }
	ftp_pasv($c, true);
	ftp_chdir($c, '/' . getenv('FTP_DIR'));
	return $c;
};
$same = function ($a, $b) { clearstatcache(); return file_exists($a) && md5_file($a) === md5_file($b); };
$c = $connect();
$names = ['empty', 'a file', 'Grüße', "quo\"te's"];
foreach ($names as $n) {
	check("put $n", ftp_put($c, $n, $n, FTP_BINARY) && $same("$there/$n", $n));
	check("get $n", ftp_get($c, 'got', $n, FTP_BINARY) && $same('got', $n));
	check("size $n", ftp_size($c, $n) === filesize($n));
}
sort($names);
$list = ftp_nlist($c, '.');
if (is_array($list)) { sort($list); }
check('nlist', $list == $names);
$list = array_column(array_filter(ftp_mlsd($c, '.') ?: [], fn($e) => $e['type'] == 'file'), 'name');
sort($list);
check('mlsd', $list == $names);
check('rawlist', count(ftp_rawlist($c, '.') ?: []) == count($names));
check('mdtm', abs(ftp_mdtm($c, 'a file') - filemtime("$there/a file")) < 2);
check('mkdir', ftp_mkdir($c, 'new dir') !== false && is_dir("$there/new dir"));
check('chdir', ftp_chdir($c, 'new dir') && ftp_pwd($c) == '/' . getenv('FTP_DIR') . '/new dir' && ftp_cdup($c));
check('rmdir', ftp_rmdir($c, 'new dir') && !file_exists("$there/new dir"));
check('chmod', ftp_chmod($c, 0640, 'a file') !== false && (fileperms("$there/a file") & 0777) == 0640);
check('put text', ftp_put($c, 'text', 'text', FTP_ASCII) && $same("$there/text", 'text'));
check('append', ftp_append($c, 'text', 'text', FTP_BINARY) && filesize("$there/text") == 2 * filesize('text'));
check('rename', ftp_rename($c, 'text', 'b') && file_exists("$there/b"));
check('delete', ftp_delete($c, 'b') && !file_exists("$there/b"));
check('put large', ftp_put($c, 'large', 'large', FTP_BINARY) && $same("$there/large", 'large'));
copy('large', 'part'); $f = fopen('part', 'r+'); ftruncate($f, 1000001); fclose($f); clearstatcache();
check('resumed get', ftp_get($c, 'part', 'large', FTP_BINARY, FTP_AUTORESUME) && $same('part', 'large'));
$f = fopen("$there/large", 'r+'); ftruncate($f, 1000001); fclose($f); clearstatcache();
check('resumed put', ftp_put($c, 'large', 'large', FTP_BINARY, FTP_AUTORESUME) && $same("$there/large", 'large'));
for ($s = ftp_nb_get($c, 'part', 'large', FTP_BINARY); $s == FTP_MOREDATA; $s = ftp_nb_continue($c));
check('get without blocking', $s == FTP_FINISHED && $same('part', 'large'));
for ($s = ftp_nb_put($c, 'other', 'large', FTP_BINARY); $s == FTP_MOREDATA; $s = ftp_nb_continue($c));
check('put without blocking', $s == FTP_FINISHED && $same("$there/other", 'large'));
check('get of nothing', ftp_get($c, 'part', 'absent', FTP_BINARY) === false);
check('nlist after that', count(ftp_nlist($c, '.') ?: []) == count($names) + 2);
check('close', ftp_close($c));
exit($failed ? 1 : 0);
