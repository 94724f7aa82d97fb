# SPDX-License-Identifier: GPL-2.0-or-later
# A line of docs/kernels.md's table of BTF sets, from what `nosnoop doctor --btf` said of one:
# $release, $version of its package, $modules with BTF.
def tally($kind): [.checks[] | select(.kind == $kind)]
	| "\(map(select(.status == "ok")) | length) of \(map(select(.status != "not_applicable")) | length)";
# without those of a module that this kernel does not have
def probes: [.checks[] | select(.kind == "probe" and .status != "not_applicable")]
	| "\(map(select(.status == "ok" or (.detail | startswith("BTF has")))) | length) of \(length)";
# facts that are lost, with their reason, and how many could not be checked at all
def lost: [.checks[] | select(.status == "missing") | "`\(.name)` (\(.gives)): \(.detail)"];
def unchecked: [.checks[] | select(.kind == "accessor" and .status == "unchecked")] | length;
def unknown: lost + (if unchecked > 0
	then ["\(unchecked) accessors not checked: the suites offer no package with its modules"] else [] end)
	| if . == [] then "nothing" else join("; ") end;
"| \($release) (\($version)) | \($modules) | \(tally("accessor")) | \(probes) | \(unknown) |"
