# SPDX-License-Identifier: GPL-2.0-or-later
# tables.jq: holds `enforced` of each domain of an audit (the input) against the IOMMU's own page
# tables ($tables: the output of tables.awk, or null where the kernel shows none). Gives "checks" in
# the form of run.sh's, one for each domain that has a witness, and "without", the reason for each
# that has none.

# The requests without PASID of a scalable-mode IOMMU are those of PASID 0
def entry: [.pasids[] | select(.pasid == 0)][0];

# what the table says of one device: {says: true|false} or {why}
def device:
	if . == null then {why: "the IOMMU shows no table of its device"}
	elif entry.stage == "first" then {says: entry.pgsnp, from: "PGSNP"}
	elif entry.stage == "pass" then {why: "passed through, no table"}
	elif .leaves == 0 then {why: "nothing is mapped"}
	elif .snoop == .leaves then {says: true, from: "\(.leaves) leaves"}
	elif .snoop == 0 then {says: false, from: "\(.leaves) leaves"}
	else {says: "mixed", from: "\(.snoop) of \(.leaves) leaves"}
	end;

def domain:
	if $tables == null and .iommu_driver == "intel" then
		{why: "this kernel shows no page tables"}
	elif .iommu_driver != "intel" then {why: "no witness of \(.iommu_driver // "unknown") tables"}
	elif .devices == [] then {why: "no device is attached"}
	elif .enforced == null then {why: "the audit claims nothing"}
	else
		[.devices[] as $d | [$tables[] | select(.device == $d)][0] | device] |
		([.[] | select(has("says"))] | unique_by(.says)) as $said |
		if $said == [] then .[0]
		elif $said | length > 1 then {says: "its devices differ", from: "\($said | length)"}
		else $said[0]
		end
	end;

[.domains[]? | {id, enforced} + domain] | {
	checks: map(select(has("says")) | {
		expression: "enforced of domain \(.id), by the page table (\(.from))",
		want: .says, got: .enforced, ok: (.says == .enforced)
	}),
	without: map(select(has("why")) | .why)
}
