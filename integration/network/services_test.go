package network

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestRedisOfTheHost reaches a Redis server at the host's 127.0.0.1 by Debian's
// client, at the same address.
func TestRedisOfTheHost(t *testing.T) {
	needWorld(t)
	testenv.Need(t, testenv.Redis)
	daemon{
		command: []string{"redis-server", "--bind", "127.0.0.1", "--port", "6379", "--save", "", "--appendonly", "no"},
		address: "127.0.0.1:6379",
	}.start(t)
	const works = "ping: True\nvalue: b'one'\npipeline: \\[True, 1, 2\\]\nblocking pop: None\npublished: b'news'\n" +
		"threads: 400\nlarge: 4194304\nby name: True"
	t.Run("named", func(t *testing.T) {
		scene{program: "redis_client", flags: []string{"--host-loopback=6379"}, want: works}.run(t)
	})
	t.Run("not named", func(t *testing.T) {
		scene{
			program: "redis_client", noControl: "the other subtest", flags: []string{"--host-loopback=6380"},
			inside: "ping: ConnectionError ECONNREFUSED",
		}.run(t)
	})
}

// TestPostgresOfTheHost uses a PostgreSQL server by psycopg2.
func TestPostgresOfTheHost(t *testing.T) {
	needWorld(t)
	testenv.Need(t, testenv.Postgres)
	dir := filepath.Join(dirOf(t), "data")
	bin, err := testenv.PostgresDir()
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, filepath.Join(bin, "initdb"), "--pgdata="+dir, "--username=test", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	daemon{
		command: []string{
			filepath.Join(bin, "postgres"), "-D", dir, "-p", "5432", "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
		},
		address: "127.0.0.1:5432",
	}.start(t)
	scene{
		program: "postgres_client", flags: []string{"--host-loopback=tcp:5432"},
		want: "rows: 1000 499500\ncopied: 5000\nnotified: hello\ncancelled: QueryCanceled\nthreads: 8",
	}.run(t)
}

// TestNginxOutside fetches from nginx on port 80 by requests, under the preset
// that allows just that.
func TestNginxOutside(t *testing.T) {
	needWorld(t)
	testenv.Need(t, testenv.Nginx, testenv.Requests)
	dir := testenv.WorldDir(t)
	config := writeFile(t, filepath.Join(dir, "nginx.conf"), `daemon off; pid %[1]s/pid; error_log stderr; worker_processes 1;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen %[2]s:80; listen %[2]s:8080; root %[1]s; location /moved { return 302 /page; } }
}
`, dir, peerNginx)
	writeFile(t, filepath.Join(dir, "page"), "a page\n")
	writeFile(t, filepath.Join(dir, "large"), "%s", strings.Repeat("0", 8<<20))
	daemon{command: []string{"nginx", "-c", config, "-e", "stderr", "-p", dir}, address: peerNginx + ":80", atPeer: true}.start(t)
	const works = "get: 200 a page\nredirected: 200 a page\nkept alive: 50\nlarge: 8388608\nthreads: 40\n"
	scene{
		program: "requests_client", args: []string{peerNginx}, flags: []string{"--preset=http-only"},
		want:   works + "another port: 200",
		inside: works + "another port: ConnectionError",
		denied: []string{"connect tcp://203.0.113.82:8080 network.default EACCES"},
		hint:   "--allow-net=tcp://203.0.113.82:8080",
	}.run(t)
}
