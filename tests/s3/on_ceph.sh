#!/usr/bin/env bash
# Run a command with JEPA_RAY_S3_ENDPOINT naming a real store: Ceph's RADOS Gateway, on loopback,
# with one monitor and one OSD that keeps its objects in memory. All is gone when the command ends.
# Debian: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd
set -euo pipefail

for program in ceph-mon ceph-osd radosgw radosgw-admin ceph monmaptool ceph-authtool; do
  if ! command -v "$program" > /dev/null; then
    echo "$program is not installed: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd" >&2
    exit 2
  fi
done

folder=$(mktemp -d /tmp/jr-ceph-XXXXXX)
pids=()
stop() {
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2> /dev/null || true
    wait "${pids[i]}" 2> /dev/null || true
  done
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
mon_v2=$(free_port) mon_v1=$(free_port) gateway=$(free_port)
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
mkdir "$folder"/{mon,osd,run}

cat > "$folder/ceph.conf" <<CONF
[global]
fsid = $fsid
mon_host = [v2:127.0.0.1:$mon_v2/0,v1:127.0.0.1:$mon_v1/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
keyring = $folder/keyring
run_dir = $folder/run
admin_socket = $folder/run/\$name.asok
log_file = $folder/\$name.log
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
mon_data_avail_crit = 1
auth_allow_insecure_global_id_reclaim = false
[mon]
mon_data = $folder/mon
mon_cluster_log_file = $folder/cluster.log
[osd]
osd_data = $folder/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$gateway
rgw_thread_pool_size = 32
CONF
export CEPH_CONF=$folder/ceph.conf

ceph-authtool --create-keyring "$folder/keyring" --gen-key -n mon. --cap mon 'allow *' > /dev/null
for name in client.admin client.rgw; do
  ceph-authtool "$folder/keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *'
done
ceph-authtool "$folder/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --fsid "$fsid" \
  --addv a "[v2:127.0.0.1:$mon_v2,v1:127.0.0.1:$mon_v1]" "$folder/monmap" > /dev/null

start() {
  "$@" > "$folder/$1.out" 2>&1 &
  pids+=($!)
}
ceph-mon --mkfs -i a --monmap "$folder/monmap" --keyring "$folder/keyring"
start ceph-mon -i a -f
timeout 60 ceph osd new "$osd" > /dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd" 2> /dev/null
start ceph-osd -i 0 -f
# The key of the tests; it opens nothing but this store.
timeout 120 radosgw-admin -n client.rgw user create --uid tester --display-name tester \
  --access-key tester --secret-key canary-secret-key > /dev/null
start radosgw -n client.rgw -f
for _ in $(seq 240); do
  if (exec 3<> "/dev/tcp/127.0.0.1/$gateway") 2> /dev/null; then
    echo "Ceph's gateway answers at http://127.0.0.1:$gateway" >&2
    JEPA_RAY_S3_ENDPOINT=http://127.0.0.1:$gateway "$@"
    exit
  fi
  sleep 0.25
done
echo "the gateway did not start:" >&2
tail -n 20 "$folder/radosgw.out" "$folder/client.rgw.log" >&2 || true
exit 1
