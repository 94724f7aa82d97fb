#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# export.sh: metrics once, in a file and by HTTP, on recordings: what promtool says of them, labels,
# budgets, clients that mean no good, TLS and users, sockets of all kinds, files that can't be written,
# and what is left of privileges.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"
nosnoop=$BUILD/nosnoop
exporter=$BUILD/nosnoop-exporter
for program in "$nosnoop" "$exporter"; do
	[ -x "$program" ] || { echo "$program is missing: run make first" >&2; exit 2; }
done
work=$(mktemp -d)
flushes=tests/fixtures/live/flushes.jsonl
started=()
cleanup() {
	[ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || :
	rm -rf "$work"
}
trap cleanup EXIT

skip() {
	skipped=$((skipped + 1))
	echo "skip  $*"
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1: '$2' instead of '$3'"
	fi
}

# soon COMMAND...: waits until it succeeds, half a minute at most: a machine may be busy
soon() {
	for _ in {1..300}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
}

promtool_says() { promtool check metrics 2>&1 <"$1" || :; }

# ---- expositions ----------------------------------------------------------------------------------

for fixture in tests/fixtures/*.jsonl "$flushes"; do
	name=$(basename "$fixture" .jsonl)
	"$nosnoop" export --once --replay "$fixture" >"$work/$name.prom"
	"$nosnoop" export --once --format openmetrics --replay "$fixture" >"$work/$name.om"
	check "$name: series, verdicts, labels" tests/export/check.py "$work/$name.prom"
	check "$name: OpenMetrics" tests/export/check.py "$work/$name.om"
	is "$name: OpenMetrics ends" "$(tail -n 1 "$work/$name.om")" "# EOF"
	check "$name: no counters once" grep -nE ' counter$|_total|^process_' "$work/$name.prom"
	if command -v promtool >/dev/null; then
		check "$name: promtool" promtool_says "$work/$name.prom"
	else
		skip "$name: promtool is not installed"
	fi
done

# Names of two VMs of a recording become this JSON text; prints the labels of nosnoop_vm_info.
labels_of() {
	jq -c "if .rec == \"process\" then .name = $1 else . end" \
		tests/fixtures/6.12-two_vms.jsonl >"$work/names.jsonl"
	"$nosnoop" export --once --replay "$work/names.jsonl" >"$work/names.prom"
	sed -n 's/^nosnoop_vm_info{vm="\(.*\)",pid=.*/\1/p' "$work/names.prom"
}
hostile=('"web"' '"say \"hi\""' '"back\\slash\\n"' '"two\nlines"' '"\u001b[31mred\u009b1m"' '"\ufffd\ud83d\udd25"'
	"\"$(printf 'x%.0s' {1..240})\"" "\"$(printf 'é%.0s' {1..100})\"")
for name in "${hostile[@]}"; do
	is "two VMs called ${name:0:20}" "$(labels_of "$name" | sort | uniq | wc -l)" 2
	check "two VMs called ${name:0:20}: series and labels" tests/export/check.py "$work/names.prom"
	! command -v promtool >/dev/null ||
		check "two VMs called ${name:0:20}: promtool" promtool_says "$work/names.prom"
done
twins() { jq -r "select(.rec == \"$1\") | .$2" tests/fixtures/6.12-two_vms.jsonl | cut -c 1-8 | sed 's/^/web~/' | sort -u; }
is "twins have the start of their uuid" "$(labels_of '"web"' | sort)" "$(twins process uuid)"
is "twins without uuid have their pid" "$(labels_of '"web" | .uuid = ""' | sort)" "$(twins vm pid)"

four() { "$nosnoop" export --once --replay tests/fixtures/four-verdicts.jsonl "$@"; }
is "--max-vms keeps the gravest" "$(four --max-vms 1 | grep -c '^nosnoop_vm_info{vm="web1"')" 1
is "--max-vms tells what it left out" "$(four --max-vms 1 | grep '^nosnoop_vms_omitted')" "nosnoop_vms_omitted 3"
is "--max-vms with room" "$(four --max-vms 9 | grep '^nosnoop_vms_omitted')" "nosnoop_vms_omitted 0"
is "without --max-vms" "$(four | grep -c '^nosnoop_vms_omitted' || :)" 0
is "host's domains by --collect host alone" \
	"$(four | grep -c '^nosnoop_domain_info.*kind="dma' || :)" 0
fields() { LC_ALL=$1 "$nosnoop" export --once --replay tests/fixtures/four-verdicts.jsonl | sha256sum; }
is "the locale changes nothing" "$(fields C)" "$(fields C.UTF-8)"

# ---- usage ------------------------------------------------------------------------------------------

exits() { # NAME CODE COMMAND...
	local name=$1 wanted=$2 code=0
	shift 2
	"$@" >"$work/out" 2>"$work/err" || code=$?
	is "$name" $code "$wanted"
}
exits "no way is named" 2 "$nosnoop" export
exits "two ways" 2 "$nosnoop" export --once --textfile "$work/x"
exits "--interval without a file" 2 "$nosnoop" export --once --interval 1s
exits "--vm is refused" 2 "$nosnoop" export --once --vm x
exits "no such format" 2 "$nosnoop" export --once --format xml
for wrong in 127.0.0.1:99999 127.0.0.1:65536 127.0.0.1:4294978249 127.0.0.1:-1; do
	exits "no such port: $wrong" 2 "$exporter" --replay "$flushes" --web.listen-address "$wrong"
done
check "a socket in no folder is told" sh -c "'$exporter' --replay '$flushes' --web.listen-address \
	'unix:$work/none/sock' 2>&1 | grep -q 'none/sock: No such file' || echo no"
# one look at a recording of some time judges as an audit of it does
history=tests/fixtures/live/history-raised.jsonl
is "rules that need history" \
	"$("$nosnoop" export --once --replay "$history" |
		sed -n 's/^nosnoop_findings{rule="\(NS[0-9]*\)".* [1-9][0-9]*$/\1/p' | sort | xargs)" \
	"$("$nosnoop" audit --format json --replay "$history" | jq -r '[.findings[].rule] | unique | join(" ")')"
exits "no such address" 2 "$exporter" --replay "$flushes" --web.listen-address nonsense
exits "no such path" 2 "$exporter" --replay "$flushes" --web.telemetry-path metrics
exits "no socket was handed over" 2 "$exporter" --replay "$flushes" --web.systemd-socket
exits "no such recording" 2 "$exporter" --replay "$work/none"
if command -v ldd >/dev/null; then
	check "nosnoop links nothing of the listener" \
		sh -c "ldd '$nosnoop' | grep -E 'microhttpd|gnutls|yaml|cap-ng|seccomp|systemd|crypt'"
fi

# ---- files ------------------------------------------------------------------------------------------

file=$work/folder/nosnoop.prom
mkdir "$work/folder"
textfile() { "$nosnoop" export --textfile "$file" --replay "$1" 2>"$work/err"; }
textfile tests/fixtures/four-verdicts.jsonl
is "a file's mode" "$(stat -c %a "$file")" 644
is "a file is what is printed" "$(sha256sum <"$file")" "$(four | sha256sum)"
textfile "$flushes"
is "nothing else is left beside it" "$(ls -A "$work/folder")" nosnoop.prom
if [ "$(id -u)" = 0 ]; then
	before=$(sha256sum <"$file")
	full() { # in a name space of its own: a file system with 4 KiB, and the old file on it
		# shellcheck disable=SC2016 # the inner shell expands it
		unshare -m sh -c 'mount -t tmpfs -o size=8k none "$1" && echo old >"$1/nosnoop.prom" &&
			"$2" export --textfile "$1/nosnoop.prom" --replay "$3" 2>"$4"
			echo "$? $(cat "$1/nosnoop.prom") $(ls -A "$1")"' sh "$work/folder" "$nosnoop" \
			tests/fixtures/four-verdicts.jsonl "$work/err"
	}
	is "a full disk: the old file stays, nothing beside it" "$(full)" "2 old nosnoop.prom"
	is "a full disk is told" "$(grep -c 'No space left on device; what was there is left' "$work/err")" 1
	chmod 755 "$work" "$work/folder"
	cp tests/fixtures/four-verdicts.jsonl "$work/four.jsonl" && chmod 644 "$work/four.jsonl"
	exits "a folder that can't be written" 2 setpriv --reuid 65534 --clear-groups \
		"$nosnoop" export --textfile "$file" --replay "$work/four.jsonl"
	is "such a folder is told" "$(grep -c 'Permission denied; what was there is left' "$work/err")" 1
	is "the old file is whole" "$(sha256sum <"$file")" "$before"
else
	skip "full disk, folder that can't be written: needs root"
fi
"$nosnoop" export --textfile "$file" --interval 200ms --replay "$flushes" --speed 0 2>"$work/err" &
started+=($!)
soon grep -q 'nosnoop_vm_wbinvd_exits_total{' "$file"
kill -TERM $! && wait $! && code=0 || code=$?
is "--interval ends with 0" "$code" 0
is "--interval has counters" "$(grep -c '^nosnoop_vm_wbinvd_exits_total{' "$file")" \
	"$((2 * $(grep -c '^nosnoop_vm_info' "$file")))"
is "--interval has nothing of the process" "$(grep -c '^process_' "$file" || :)" 0

# ---- HTTP -------------------------------------------------------------------------------------------

port=$((20000 + $$ % 10000))
base=http://127.0.0.1:$port
# serve ARGUMENT...: starts one and waits until it listens or has ended; $server is its pid
serve() {
	"$exporter" --replay "$flushes" "$@" 2>"$work/serve.err" &
	server=$!
	started+=("$server")
	soon listens_or_ended
}
# Once it serves its system calls are filtered.
listens_or_ended() { ! kill -0 "$server" || grep -q '^Seccomp:.2' "/proc/$server/status"; }
stop() {
	kill -TERM "$server"
	wait "$server" && code=0 || code=$?
	is "it ends with 0" "$code" 0
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@" || :; }
type_of() { curl -s -o /dev/null -w '%{content_type}' "$@"; }

serve --web.listen-address "127.0.0.1:$port" --speed 0
is "metrics" "$(status "$base/metrics")" 200
is "type of the text format" "$(type_of "$base/metrics")" "text/plain; version=0.0.4; charset=utf-8"
om='application/openmetrics-text; version=1.0.0; charset=utf-8'
prometheus='application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4'
prometheus+=',text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
is "type for Prometheus" "$(type_of -H "Accept: $prometheus" "$base/metrics")" "$om"
is "type when text is preferred" \
	"$(type_of -H 'Accept: application/openmetrics-text;q=0.2,text/plain' "$base/metrics")" \
	"text/plain; version=0.0.4; charset=utf-8"
curl -s -H "Accept: $prometheus" "$base/metrics" >"$work/http.om"
check "OpenMetrics with counters" tests/export/check.py "$work/http.om"
curl -s "$base/metrics" >"$work/http.prom"
check "series, verdicts, labels, budget" tests/export/check.py --budget "$work/http.prom"
! command -v promtool >/dev/null || check "promtool, with counters" promtool_says "$work/http.prom"
is "process metrics" "$(grep -c '^process_' "$work/http.prom")" 5
is "compressed" "$(curl -s -H 'Accept-Encoding: gzip' "$base/metrics" | gzip -dc | grep -c '^nosnoop_build_info')" 1
is "compression that is refused" \
	"$(curl -s -H 'Accept-Encoding: gzip;q=0' "$base/metrics" | grep -c '^nosnoop_build_info')" 1
is "landing page" "$(curl -s "$base/" | grep -c 'href="/metrics"')" 1
is "healthy" "$(status "$base/-/healthy")" 200
is "ready" "$(status "$base/-/ready")" 200
is "no such page" "$(status "$base/nope")" 404
is "POST" "$(status -X POST -d x "$base/metrics")" 405
is "HEAD" "$(status -I "$base/metrics")" 200
is "a timeout that can't be kept" \
	"$(status -H 'X-Prometheus-Scrape-Timeout-Seconds: 0.0000001' "$base/metrics")" 503
is "a timeout that can" "$(status -H 'X-Prometheus-Scrape-Timeout-Seconds: 10' "$base/metrics")" 200
case $(status -H "X-Long: $(printf 'x%.0s' {1..20000})" "$base/metrics") in
4??) pass ;;
*) fail "a request of 20 kB is taken" ;;
esac
check "an address in use" sh -c "'$exporter' --replay '$flushes' --web.listen-address 127.0.0.1:$port 2>&1 |
	grep -v 'Address already in use'"
stop

serve --web.listen-address "127.0.0.1:$port"
crowd() { # NAME NUMBER...
	local name=$1 line
	shift
	if line=$(tests/export/crowd.py "$port" "$@"); then
		pass
	else
		fail "$name"
	fi
	echo "      $name: $line"
}
crowd "200 scrapes at once" 200 0 0
crowd "200 scrapes, 1,000 half-open connections, 50 that read nothing" 200 1000 50
if [ "$(id -u)" = 0 ]; then
	caps=$(grep -hE '^Cap(Prm|Eff|Inh|Amb)' "/proc/$server/task/"*/status | awk '{ print $2 }' | sort -u)
	is "no capability is left" "$caps" 0000000000000000
fi
is "no new privileges, and a filter" \
	"$(awk '/^(NoNewPrivs|Seccomp):/ { printf "%s ", $2 }' "/proc/$server/status")" "1 2 "
stop
serve --web.telemetry-path / --web.listen-address "127.0.0.1:$port" --web.listen-address "unix:$work/sock"
is "metrics at /" "$(curl -s "$base/" | grep -c '^nosnoop_build_info')" 1
is "a unix socket" "$(curl -s --unix-socket "$work/sock" http://localhost/ | grep -c '^nosnoop_build_info')" 1
is "its mode" "$(stat -c %a "$work/sock")" 660
stop
is "it is removed at the end" "$(ls "$work/sock" 2>/dev/null)" ""
python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$work/sock')"
serve --web.listen-address "unix:$work/sock"
is "a stale socket is replaced" "$(curl -s --unix-socket "$work/sock" http://localhost/metrics | grep -c '^nosnoop_build_info')" 1
stop
serve
is "by default it listens on loopback alone" \
	"$(ss -Hltnp | awk -v pid="pid=$server," 'index($0, pid) { print $4 }')" "127.0.0.1:10953"
stop
serve --web.listen-address ":$port"
is "all addresses, by IPv4" "$(status "$base/metrics")" 200
stop

# ---- socket activation, TLS, users ------------------------------------------------------------------

activated() { # passes a listening socket as descriptor 3
	python3 - "$@" <<-'PYTHON' &
		import os, socket, sys
		listener = socket.socket()
		listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		listener.bind(("127.0.0.1", int(sys.argv[1])))
		listener.listen(64)
		os.dup2(listener.fileno(), 3)
		os.set_inheritable(3, True)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		os.execv(sys.argv[2], sys.argv[2:])
	PYTHON
	server=$!
	started+=("$server")
	soon listens_or_ended
}
activated "$port" "$exporter" --web.systemd-socket --replay "$flushes"
is "socket activation" "$(status "$base/metrics")" 200
stop

cat >"$work/tls.sh" <<'SH'
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.crt -subj /CN=ca
for who in server client; do
	openssl req -newkey rsa:2048 -nodes -keyout $who.key -out $who.csr -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1
	openssl x509 -req -days 2 -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $who.crt \
		-copy_extensions copy
done
SH
if ! command -v openssl >/dev/null || ! command -v htpasswd >/dev/null; then
	skip "TLS, users: openssl and htpasswd are not installed"
else
	(cd "$work" && sh -e tls.sh >tls.log 2>&1)
	secure=https://localhost:$port/metrics
	printf 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n' >"$work/tls.yml"
	serve --web.listen-address "127.0.0.1:$port" --web.config.file "$work/tls.yml"
	is "TLS" "$(status --cacert "$work/ca.crt" "$secure")" 200
	is "TLS 1.1 is refused" "$(status --tls-max 1.1 --cacert "$work/ca.crt" "$secure")" 000
	is "no plain text beside TLS" "$(status "$base/metrics")" 000
	stop
	printf '  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n' >>"$work/tls.yml"
	serve --web.listen-address "127.0.0.1:$port" --web.config.file "$work/tls.yml"
	is "a client without a certificate" "$(status --cacert "$work/ca.crt" "$secure")" 403
	is "a client with one" "$(status --cacert "$work/ca.crt" --cert "$work/client.crt" \
		--key "$work/client.key" "$secure")" 200
	(cd "$work" && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout other.key -out other.crt \
		-subj /CN=localhost 2>/dev/null)
	is "a client with a foreign one" "$(status --cacert "$work/ca.crt" --cert "$work/other.crt" \
		--key "$work/other.key" "$secure")" 403
	stop
	{
		echo basic_auth_users:
		htpasswd -nbBC 10 ann secret | sed '/^$/d; s/\([^:]*\):/  \1: /'
		printf '  bob: %s\n' "$(python3 -W ignore -c 'import crypt
print(crypt.crypt("geheim", crypt.mksalt(crypt.METHOD_SHA512)))')"
	} >"$work/users.yml"
	serve --web.listen-address "127.0.0.1:$port" --web.config.file "$work/users.yml"
	is "nobody" "$(status "$base/metrics")" 401
	is "nobody at /-/healthy" "$(status "$base/-/healthy")" 401
	is "a user" "$(status -u ann:secret "$base/metrics")" 200
	is "the same again" "$(status -u ann:secret "$base/metrics")" 200
	is "a wrong password" "$(status -u ann:Secret "$base/metrics")" 401
	is "a user by another kind of hash" "$(status -u bob:geheim "$base/metrics")" 200
	is "a user who is not there" "$(status -u eve:secret "$base/metrics")" 401
	is "it asks for a password" "$(curl -si "$base/metrics" | grep -ci '^www-authenticate: basic')" 1
	stop
	for bad in 'basic_auth_users: {ann: secret}' 'tls_server_config: {cert_file: server.crt}' 'nonsense: 1' \
		'tls_server_config: {cert_file: none, key_file: none}' 'basic_auth_users: [' '- 1'; do
		echo "$bad" >"$work/bad.yml"
		exits "configuration $bad" 2 "$exporter" --replay "$flushes" --web.config.file "$work/bad.yml"
		is "it is told where: $bad" "$(grep -c 'bad.yml:[0-9]*: ' "$work/err")" 1
	done
fi

# ---- capabilities: each is taken away at the start, and what breaks is shown ---------------------------

facts_without() { # CAPABILITY...: what can't be read without them
	local list
	list=$(printf -- ',-%s' "$@")
	[ $# -gt 0 ] || list=,+all
	setpriv --bounding-set "${list:1}" "$nosnoop" export --once 2>/dev/null |
		grep -E '^nosnoop_collector_success.* 0$|^nosnoop_unknown_facts' | sort
}
if [ "$(id -u)" != 0 ]; then
	skip "capabilities: needs root"
elif [ "$("$nosnoop" export --once 2>/dev/null | grep -c '^nosnoop_collector_success{collector="bpf"} 1')" = 0 ]; then
	skip "capabilities: BPF can't be used here with all of them either"
else
	facts_without >"$work/with-all"
	for cap in bpf perfmon sys_admin syslog sys_ptrace dac_read_search; do
		facts_without "$cap" >"$work/without"
		broken=$(comm -13 "$work/with-all" "$work/without" | sed 's/^nosnoop_//' | tr '\n' ';')
		echo "      without CAP_${cap^^}: ${broken:-nothing breaks here}"
		case $cap in
		syslog) is "without $cap" "$(grep -c 'collector="bpf"} 0' "$work/without")" 1 ;;
		sys_admin) # where KVM or VFIO are modules, their types too
			is "without $cap" "$(grep -c 'fact="devices.nosnoop.permitted"' "$work/without")" 1 ;;
		*) is "without $cap" "$broken" "" ;;
		esac
	done
	facts_without sys_admin bpf >"$work/without"
	is "with neither CAP_SYS_ADMIN nor CAP_BPF" "$(grep -c 'collector="bpf"} 0' "$work/without")" 1
fi

# ---- as an ordinary user ----------------------------------------------------------------------------

if [ "$(id -u)" = 0 ]; then
	user=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
	"${user[@]}" "$exporter" --web.listen-address "127.0.0.1:$port" 2>"$work/serve.err" &
	server=$!
	started+=("$server")
	soon curl -sf "$base/-/ready"
	curl -s "$base/metrics" >"$work/user.prom"
	check "an ordinary user's metrics" tests/export/check.py "$work/user.prom"
	is "no probe is attached" "$(grep '^nosnoop_probe_attached' "$work/user.prom" | grep -vc ' 0$' || :)" 0
	is "and all are named" \
		"$(grep -c '^nosnoop_probe_attached' "$work/user.prom" | awk '{ print ($1 > 0) }')" 1
	is "what could not be read is counted" \
		"$(grep -c '^nosnoop_unknown_facts' "$work/user.prom" | awk '{ print ($1 > 0) }')" 1
	is "the collector says so" "$(grep '^nosnoop_collector_success{collector="bpf"}' "$work/user.prom")" \
		'nosnoop_collector_success{collector="bpf"} 0'
	stop
else
	skip "as an ordinary user: needs root to become one"
fi

# ---- more than the buffers take, when no larger ones can be had ------------------------------------

small=$BUILD/small-ring/nosnoop-exporter
if [ ! -x "$small" ] || [ ! -x "$BUILD/tests/manyvms" ]; then
	skip "more than the buffers take: run make tests first"
elif grep -q 'collector="bpf"} 0' "$work/with-all" 2>/dev/null || [ "$(id -u)" != 0 ] || [ ! -w /dev/kvm ]; then
	skip "more than the buffers take: needs root, BPF and /dev/kvm"
else
	"$small" -v --web.listen-address "127.0.0.1:$port" 2>"$work/serve.err" &
	server=$!
	started+=("$server")
	soon curl -sf "$base/-/ready"
	is "few VMs fit" "$(curl -s -o "$work/few.prom" -w '%{http_code}' "$base/metrics")" 200
	mkfifo "$work/enough"
	"$BUILD/tests/manyvms" 200 0 <"$work/enough" >"$work/many" &
	many=$!
	started+=("$many")
	exec {enough}>"$work/enough"
	soon grep -q ready "$work/many"
	is "many do not: that is no empty machine" \
		"$(curl -s -o "$work/many.prom" -w '%{http_code}' "$base/metrics")" 500
	code=0
	wait "$server" || code=$?
	is "and it wants to be started anew" "$code" 75
	is "and says so" "$(grep -c 'than fits into the buffers: start me again' "$work/serve.err")" 1
	exec {enough}>&-
	wait "$many" || :
fi
finish
