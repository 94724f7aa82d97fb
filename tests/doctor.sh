#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor.sh: `nosnoop doctor` as a program, on this host: exit codes, what it prints, its schema, an
# ordinary user, a foreign kernel. What it finds is tested on made-up kernels (tests/unit/test_doctor.c)
# and on real ones (tests/lab).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
$MAKE -s "BUILD=$BUILD" >"$work/make.log" 2>&1 || {
	fail "does not build"
	tail -n 20 "$work/make.log"
	finish
}
install -m 755 "$BUILD/nosnoop" "$work/nosnoop" # where every user can run it

# doctor NAME ARG...: leaves NAME.out, NAME.err and the exit code in $status
doctor() {
	local name=$1
	shift
	status=0
	"${as[@]}" "$work/nosnoop" doctor "$@" >"$work/$name.out" 2>"$work/$name.err" || status=$?
}
as=(env)

# is NAME WANTED...: the exit code of the last doctor is one of these
is() {
	local name=$1
	shift
	if [[ " $* " == *" $status "* ]]; then
		pass
	else
		fail "$name: exit code $status, not $*"
		tail -n 5 "$work"/*.err
	fi
}

validate() {
	python3 - "$@" <<'PYTHON'
import json, sys
import jsonschema
schema = json.load(open("docs/doctor.schema.json"))
def closed(part):
    if isinstance(part, dict):
        if "required" in part:
            part["additionalProperties"] = False
            if set(part["required"]) != set(part["properties"]):
                print("schema: a key that is not required")
        for value in part.values():
            closed(value)
closed(schema)
for name in sys.argv[1:]:
    data = json.load(open(name))
    for error in jsonschema.Draft202012Validator(schema).iter_errors(data):
        print(name, error.json_path, error.message[:200])
    seen = [(c["kind"], c["name"]) for c in data["checks"]]
    if len(seen) != len(set(seen)):
        print(name, "has a check twice")
    states = [c["status"] for c in data["checks"]]
    if any(data["summary"][s] != states.count(s) for s in data["summary"]):
        print(name, "has a summary that is not its checks'")
PYTHON
}

# names KIND FILE
names() { jq -r --arg kind "$1" '.checks[] | select(.kind == $kind) | .name' "$2" | sort; }

# The accessors of the header, found in another way than the unit test does: functions of ours that
# relocate something or read a symbol's address, told by what they call.
accessors() {
	awk '/^static __always_inline/ { head = $0; body = "" }
		{ body = body "\n" $0 }
		/^}/ && head ~ /nsn_/ {
			if (body ~ /struct |enum |nsn_symbols/ && match(body, /nsn_[a-z0-9_]+\(/))
				print substr(body, RSTART, RLENGTH - 1)
			head = ""
		}' bpf/core_compat.bpf.h bpf/compat/*.bpf.h | sort
}
programs() { sed -n '/^SEC("[^l.]/{n;s/^int \([a-z0-9_]*\)(.*/\1/p}' bpf/*.bpf.c | sort; }

doctor text
is "this host" 0 3
doctor json --format json
is "this host, JSON" 0 3
check "stderr is silent" cat "$work/text.err" "$work/json.err"
is "the exit code in the JSON" "$(jq .result.exit_code "$work/json.out")"
check "the accessors of bpf/core_compat.bpf.h and bpf/compat are printed" \
	diff <(accessors) <(names accessor "$work/json.out")
check "the programs of bpf/ are printed" diff <(programs) <(names program "$work/json.out")
in_text() {
	jq -r '.checks[].name' "$work/json.out" | sort -u | while read -r name; do
		grep -qw -- "$name" "$work/text.out" || echo "$name is not in the text"
	done
}
check "text and JSON have the same checks" in_text
wide() { awk 'length($0) > 80' "$work/narrow.out"; }
COLUMNS=80 doctor narrow --color never
check "80 columns" wide

doctor usage --nonsense
is "an unknown option" 2
doctor usage2 --format xml
is "an unknown format" 2
doctor usage3 --replay /dev/null
is "a recording" 2
doctor folder --btf "$work/none"
is "a folder that is not there" 2
mkdir "$work/empty"
doctor empty --btf "$work/empty"
is "a folder without a kernel" 2
echo nonsense >"$work/empty/vmlinux"
doctor broken --btf "$work/empty"
is "a vmlinux without BTF" 2
check "no output without a verdict" cat "$work"/{usage,usage2,usage3,folder,empty,broken}.out
for name in usage usage2 usage3 folder empty broken; do
	if [ -s "$work/$name.err" ]; then pass; else fail "$name: no word on stderr"; fi
done
doctor version --version
is "--version" 0

if [ -r /sys/kernel/btf/vmlinux ]; then
	mkdir "$work/foreign"
	cp /sys/kernel/btf/vmlinux "$work/foreign"
	doctor half --btf "$work/foreign" --format json
	is "without kallsyms" 3
	cp /proc/kallsyms "$work/foreign"
	doctor foreign --btf "$work/foreign" --format json
	is "this kernel as a foreign one" 0 3
	check "schema, strict" validate "$work"/{json,half,foreign}.out
else
	skipped=$((skipped + 3))
	check "schema, strict" validate "$work/json.out"
fi

if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)
	doctor user --format json
	is "an ordinary user" 3
	asked() {
		jq -r '.checks[] | select(.name == "CAP_BPF") | .remedy' "$work/user.out" |
			grep -q CAP_BPF || echo "it does not ask for CAP_BPF"
	}
	check "an ordinary user is told what to ask for" asked
else
	skipped=$((skipped + 2))
fi
finish
