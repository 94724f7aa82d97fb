# SPDX-License-Identifier: GPL-2.0-or-later
# tables.awk DMAR_TRANSLATION_STRUCT BDF/DOMAIN_TRANSLATION_STRUCT...: what the Intel IOMMUs' page
# tables in debugfs say of each device, as one line of JSON: how many leaves its table has and how
# many of them carry bit 11 (Snoop, which only second-stage tables have), and of its PASID table's
# entries the kind of translation and bit 88 (PGSNP, which forces snooping of a first-stage table).
# Single hexadecimal digits are looked at: awk need know no larger numbers.

# digit TEXT FROM-RIGHT: one hexadecimal digit of a number, 0 being the last one
function digit(text, n) { return substr(text, length(text) - n, 1) }

# bit TEXT N: that bit of it
function bit(text, n,	d) {
	d = index("0123456789abcdef", digit(text, int(n / 4))) - 1
	return int(d / 2 ^ (n % 4)) % 2
}

BEGIN {
	for (i = 2; i < ARGC; i++) {
		n = split(ARGV[i], part, "/")
		bdf[ARGV[i]] = part[n - 1]
		devices[i] = part[n - 1]
		leaves[part[n - 1]] = snoop[part[n - 1]] = 0
	}
	split("first second nested pass", stages, " ")
}

# B.D.F root-entry context-entry PASID val[2]:val[1]:val[0]; the PASID is -1 in legacy mode
FILENAME == ARGV[1] && $1 ~ /^[0-9a-f]+:[0-9a-f]+\.[0-7]$/ && $4 >= 0 {
	split($5, word, ":")
	kind = bit(word[3], 6) + 2 * bit(word[3], 7) + 4 * bit(word[3], 8)
	entries[$1] = entries[$1] (entries[$1] ? "," : "") \
		sprintf("{\"pasid\":%d,\"stage\":\"%s\",\"pgsnp\":%s}", $4, stages[kind],
			bit(word[2], 24) ? "true" : "false")
}

# IOVA_PFN | PML5E PML4E PDPE [PDE [PTE]]: the last is the leaf
FILENAME != ARGV[1] && /^0x[0-9a-f]+ \|/ {
	leaves[bdf[FILENAME]]++
	snoop[bdf[FILENAME]] += bit($NF, 11)
}

END {
	printf "["
	for (i = 2; i < ARGC; i++) {
		d = devices[i]
		printf("%s{\"device\":\"%s\",\"leaves\":%d,\"snoop\":%d,\"pasids\":[%s]}",
			i > 2 ? "," : "", d, leaves[d], snoop[d], entries[substr(d, 6)])
	}
	print "]"
}
