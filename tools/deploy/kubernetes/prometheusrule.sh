#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# prometheusrule.sh: prints the recording rules and alerts of ../prometheus as a PrometheusRule, which
# the Prometheus operator loads.
set -eu
cd "$(dirname "$0")/../prometheus"
cat <<'END'
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: nosnoop
  namespace: nosnoop
  labels:
    app.kubernetes.io/name: nosnoop
spec:
  groups:
END
# Names of groups stand once in a resource.
sed '1,/^groups:/d; s/^./  &/; s/- name: nosnoop-/&records-/' nosnoop.rules.yml
sed '1,/^groups:/d; s/^./  &/; s/- name: nosnoop-/&alerts-/' nosnoop.alerts.yml
