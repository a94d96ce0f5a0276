#!/bin/sh
# A switch with two devices and a prober, in network namespaces that vanish with this script.
# Usage: run.sh NODE. Runs inside `unshare --net --mount`; prints what prober.mjs prints.
set -eu
node=$1
here=$(dirname "$0")
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add lan0 type bridge
ip link set lan0 addrgenmode none
ip addr add 192.168.3.10/24 dev lan0
ip -6 addr add fe80::10/64 dev lan0 nodad
ip link set lan0 up

# host NAME ADDRESS/LENGTH [IPv6]
host() {
  ip netns add "$1"
  ip link add "port-$1" type veth peer name eth0 netns "$1"
  ip link set "port-$1" master lan0 addrgenmode none up
  ip -n "$1" link set eth0 addrgenmode none
  ip -n "$1" addr add "$2" dev eth0
  [ -z "${3:-}" ] || ip -n "$1" -6 addr add "$3/64" dev eth0 nodad
  ip -n "$1" link set eth0 up
}
host near 192.168.3.21/24
host factory 192.168.127.253/24 fe80::21

mkfifo /run/ready
for name in near factory; do
  ip netns exec "$name" "$node" --conditions=@endorse/source "$here/device.mjs" "$name" >/run/ready &
done
# Each device says once that it listens.
{ read -r _; read -r _; } </run/ready
"$node" --conditions=@endorse/source "$here/prober.mjs"
