#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ask.sh URL: every query of the dashboard, asked of the Prometheus of demo.sh; the host and the VM that
# are chosen are those that flush.
set -euo pipefail
cd "$(dirname "$0")/../.."
read -r host vm < <(curl -sS -m 20 --data-urlencode 'query=instance_vm:nosnoop_vm_wbinvd_executed:rate5m' \
	"$1/api/v1/query" | jq -r '.data.result[0].metric | "\(.instance) \(.vm)"')
tests/fleet/dashboard.py tools/deploy/grafana/nosnoop.json --ask "$1" --host "$host" --vm "$vm"
