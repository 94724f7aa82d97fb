#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# labtools.sh: what judges in the lab, without booting anything: the reader of the IOMMU's page tables, and
# that its comparison with an audit can fail, as can that of screens; which kernels a tag means; the oracle, generator and
# shrinker of the random topologies.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"
# shellcheck source-path=SCRIPTDIR source=lab/lib.sh
. tests/lab/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# same NAME WANT GOT
same() {
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1"
		printf '  expected %s\n  got      %s\n' "$2" "$3"
	fi
}

# A device with Snoop in all leaves (one of them a large page), one with none, one with both; 05.0 has no
# table. The first-stage entry of 06.0 has PGSNP, that of 07.0 has not; 08.0 has a second-stage one.
samples() {
	local d header='IOVA_PFN PML5E PML4E'
	local path='0x0000000000000000 0x0000000103a3c003 0x0000000103a3d003'
	mkdir -p "$work"/0000:00:0{2,3,4,5,6,7,8}.0
	for d in 2 3 4 6 7 8; do
		printf 'Device 0000:00:0%s.0 @0x103a3b000\n%s\n' "$d" "$header"
	done >"$work/headers"
	{ sed -n '1,2p' "$work/headers"
	  echo "0x0000000001000 | $path 0x0000000103a3e003 0x0000000103a00803"
	  echo "0x0000000001200 | $path 0x0000000103a00883"
	} >"$work/0000:00:02.0/domain_translation_struct"
	{ sed -n '3,4p' "$work/headers"
	  echo "0x0000000001000 | $path 0x0000000103a3e803 0x0000000103a00003"
	} >"$work/0000:00:03.0/domain_translation_struct"
	cat "$work"/0000:00:0{2,3}.0/domain_translation_struct >"$work/0000:00:04.0/domain_translation_struct"
	: >"$work/0000:00:05.0/domain_translation_struct"
	for d in 6 7; do
		echo "0x0000000001000 | $path 0x0000000103a3e067 0x0000000103a00867" \
			>"$work/0000:00:0$d.0/domain_translation_struct"
	done
	cp "$work/0000:00:02.0/domain_translation_struct" "$work/0000:00:08.0/domain_translation_struct"
	# the driver prints 64-bit numbers in full: R, T and Z stand for three that recur
	sed -e 's/\bR\b/0x0000000000000000:0x0000000100a5d001/' -e 's/\bT\b/0x0000000103a3b005/' \
		-e 's/\bZ\b/0x0000000000000000/g' \
		>"$work/dmar" <<-'DMAR'
		IOMMU dmar0: Root Table Address: 0x100a5c000
		B.D.F	Root_entry	Context_entry	PASID	PASID_table_entry
		00:02.0	R	0x0000000000000102:T	-1    	Z:Z:Z
		00:06.0	R	Z:T	0     	0x0000000103a3b000:0x0000000001000004:0x0000000000000049
		00:07.0	R	Z:T	0     	0x0000000103a3b000:0x0000000000000004:0x0000000000000049
		00:08.0	R	Z:T	0     	Z:0x0000000000000004:0x0000000103a3b089
	DMAR
	awk -f tests/lab/tables.awk "$work/dmar" "$work"/0000:*/domain_translation_struct >"$work/tables.json"
}

# The audit of those devices, true to the tables; a filter can doctor it
audit() {
	jq -cn '[["02", true], ["03", false], ["05", false], ["06", true], ["07", false], ["08", true]] | {domains: map(
		{id: .[0], iommu_driver: "intel", devices: ["0000:00:" + .[0] + ".0"], enforced: .[1]})} | '"${1:-.}"
}

# compare FILTER TABLES: the checks that fail, as "ID want got", and the reasons of those without
compare() {
	audit "$1" | jq -cr --argjson tables "${2:-$(<"$work/tables.json")}" -f tests/lab/tables.jq |
		jq -cr '[(.checks | length), (.checks[] | select(.ok | not) | .expression[19:21], .want, .got), .without[]] |
			map(tostring) | join(" ")'
}

samples
same "tables.awk: leaves" '[["02",2,2],["03",1,0],["04",3,2],["05",0,0],["06",1,1],["07",1,1],["08",2,2]]' \
	"$(jq -c 'map([.device[8:10], .leaves, .snoop])' "$work/tables.json")"
same "tables.awk: PASID entries" '["first true","first false","second false"]' \
	"$(jq -c '[.[] | .pasids[] | "\(.stage) \(.pgsnp)"]' "$work/tables.json")"
same "tables.jq: an audit that is right" "5 nothing is mapped" "$(compare .)"
same "tables.jq: a claim that leaves deny" "5 03 false true nothing is mapped" "$(compare '.domains[1].enforced = true')"
same "tables.jq: a denial that leaves deny" "5 02 true false nothing is mapped" "$(compare '.domains[0].enforced = false')"
same "tables.jq: PGSNP decides, not the leaves" "5 07 false true nothing is mapped" \
	"$(compare '.domains[4].enforced = true')"
same "tables.jq: leaves of both kinds" "5 02 mixed true nothing is mapped" \
	"$(compare '.domains[0].devices = ["0000:00:04.0"]')"
same "tables.jq: devices of one domain that differ" "5 02 its devices differ true nothing is mapped" \
	"$(compare '.domains[0].devices += ["0000:00:03.0"]')"
same "tables.jq: no claim, no device, another IOMMU" \
	"2 the audit claims nothing no device is attached nothing is mapped no witness of amd tables" \
	"$(compare '.domains[0].enforced = null | .domains[1].devices = [] | .domains[3].iommu_driver = "amd"')"
same "tables.jq: a kernel without debugfs" "0$(printf ' this kernel shows no page tables%.0s' 1 2 3 4 5 6)" \
	"$(compare . null)"

# meant TAG...: the kernels that the tags mean
meant() {
	local key
	for key in $LAB_KEYS; do
		! kernel_is "$key" "$@" || printf '%s ' "$key"
	done
}
same "a key as a tag" "6.1 " "$(meant 6.1)"
same "the start of a key as a tag" "6.12 6.12-iommufd " "$(meant 6.12)"
same "the end of a key as a tag" "6.12-iommufd newest-iommufd " "$(meant iommufd)"
same "two tags" "6.1 newest newest-iommufd newest-mock " "$(meant newest 6.1)"

# on BOOT ASKED: the kernels that its cells are planned on
on() {
	local key
	for key in $LAB_KEYS; do
		! planned "$key" "$@" || printf '%s ' "$key"
	done
}
mkdir "$work/boots"
echo '# kernels: iommufd' >"$work/boots/named.sh"
echo '# kernels: newest' >"$work/boots/start.sh"
echo '# kernels: newest-mock' >"$work/boots/mock.sh"
echo '# append: x' >"$work/boots/plain.sh"
LAB_DIR=$work
same "a boot that names no kernels, by default" "$LAB_DEFAULT_KEYS " "$(on plain '')"
same "a boot that names no kernels, if some are asked for" "6.1 6.12 newest 6.12-iommufd newest-iommufd " "$(on plain all)"
same "a boot that names its kernels, by default" "6.12-iommufd newest-iommufd " "$(on named '')"
same "a boot that names its kernels, if some are asked for" "6.12-iommufd newest-iommufd " "$(on named all)"
same "a boot for a kernel with mock devices" "newest-mock " "$(on mock '')"
same "a boot for others is not meant for those" "newest newest-iommufd " "$(on start all)"

# screen [KERNEL]: what screens.py says of a screen that is changed by the sed script on stdin
screen() {
	mkdir -p "$work/shots" "$work/screens"
	cat >"$work/vms.sample" <<-'SCREEN'
		 nosnooptop  lab                                1 warning  every 1 s  02:53:21
		 Flushes  39 executed/s   0 ignored/s   0.7 % of a CPU               ▁▁▁▅▆▂▅██
		 VM    PID  VCPU  DEV  VERDICT      REG  EXIT/s  EXEC/s  TIME%    P50    P99
		▌web1  178     1    1  noncoherent    1      39      39    0.7  167µs  3.0ms
		─ Findings ────────────────────
		  warning  NS002  VM web1 (pid 178): its WBINVD is executed and stalls host CPUs
		 7.3.4+deb13-amd64  probes 27 of 28  lost 0  snapshot 4 s ago    ? help  q quit
	SCREEN
	sed -f /dev/stdin "$work/vms.sample" >"$work/shots/vms.screen"
	"$TOP/tests/lab/screens.py" "${1:-newest}" 7.3.4+deb13-amd64 "$work/shots" "$work/screens"
}
UPDATE=1 screen </dev/null >/dev/null
same "screens.py: the same screen" '{}' "$(screen </dev/null)"
same "screens.py: another time, pid and rate" '{}' "$(screen <<-'SED'
	s/02:53:21/17:00:00/; s/178/179/; s/39 executed/1.2k executed/; s/167µs/ 23ms/; s/4 s ago/7 s ago/
	s/▁▁▁▅/ ▅▅▅/; s/27 of 28/31 of 31/
SED
)"
# differs WHAT SED: it is no longer the expected screen
differs() { same "screens.py: $1" true "$(screen <<<"$2" | jq -c '.vms | length > 0')"; }
differs "a word" 's/stalls host/stops host/'
differs "a number of state" 's/1 warning/2 warning/'
differs "what is nothing no more" 's/0 ignored/3 ignored/'
differs "a verdict" 's/noncoherent /coherent    /'
differs "a lost event" 's/lost 0/lost 1/'
differs "a line that lacks" '6d'
differs "a cell more in a line that has nothing to mask" 's/ Findings ─/ Findings ──/'
differs "a column that is not flush with its header" 's/ 0.7  167/0.7   167/'
same "screens.py: a screen that was not captured" '["no such capture"]' \
	"$(UPDATE='' screen </dev/null >/dev/null; rm "$work/shots/vms.screen"
		"$TOP/tests/lab/screens.py" newest x "$work/shots" "$work/screens" | jq -c .vms)"
UPDATE=1 screen 6.1 <<<'s/stalls host/stops host/' >/dev/null
same "screens.py: a kernel that shows it otherwise" '{}' "$(screen 6.1 <<<'s/stalls host/stops host/')"
same "screens.py: and the others do not" true "$(screen <<<'s/stalls host/stops host/' | jq -c '.vms | length > 0')"

while read -r line; do
	case $line in
	"ok "*) pass ;;
	*) fail "$line" ;;
	esac
done < <(tests/lab/topologies/test.py 2>&1 || echo "test.py: exit code $?")

# ---- the table of docs/kernels.md ----

# Five kernels; snoop_off was left out on 6.12, iommufd_off is meant for two of them
for kernel in 6.1 6.12 newest 6.12-iommufd newest-iommufd; do
	for cell in snoop_on snoop_off iommufd_off; do
		case $cell:$kernel in
		snoop_off:6.12 | iommufd_off:6.1 | iommufd_off:6.12 | iommufd_off:newest) continue ;;
		esac
		jq -cn --arg kernel "$kernel" --arg cell "$cell" '{$kernel, $cell, outcome: "ok",
			release: $kernel | sub("6.1$"; "6.1.0-1") | sub("newest"; "7.3.4"),
			values: {verdict: ["coherent"], registered: [0], enforced: [1]}}'
	done
done >"$work/summary.jsonl"
tests/lab/gen-matrix.sh "$work/summary.jsonl" >"$work/matrix.md"
same "matrix: a column for each kernel, the oldest first" \
	"| cell | 6.1.0-1 | 6.12 | 6.12-iommufd | 7.3.4 | 7.3.4-iommufd |" "$(grep '^| cell ' "$work/matrix.md")"
yes='coherent<br>registered 0, enforced 1'
same "matrix: what was left out, and what is not meant for a kernel" \
	"$yes|not run|$yes|$yes|$yes|"$'\n'"–|–|$yes|–|$yes|" \
	"$(grep -E '^\| .(snoop|iommufd)_off' "$work/matrix.md" | sed -e 's/^[^|]*|[^|]*| *//' -e 's/ *| */|/g')"
same "matrix: how many cells passed" "- 6.12 (\`6.12\`): 1 cells passed, 0 failed, 0 skipped" \
	"$(grep -F '6.12`)' "$work/matrix.md")"
finish
