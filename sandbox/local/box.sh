#!/bin/sh
# Furnishes a new box from the inside, then becomes its supervisor. What is made here dies with the box.
# Wants: NAME RUNTIME STATE KEEP (folders, one a line, that must stay visible) LINK ADDRESS (with its size) DNS (an
# address), and the supervisor's command line as arguments. Reads one line once the link is there.
set -eu

# cover FOLDER: something empty over it, so that nothing written there reaches the machine.
cover() {
  mkdir -p "$STATE/cover"
  mount -t tmpfs -o mode=755 portside "$STATE/cover"
  printf '%s\n' "$KEEP" | while IFS= read -r keep; do
    case $keep in "$1"/*)
      mkdir -p "$STATE/cover${keep#"$1"}"
      mount --rbind "$keep" "$STATE/cover${keep#"$1"}" ;;
    esac
  done
  mount --rbind "$STATE/cover" "$1"
  umount -l "$STATE/cover"
}

mkdir -p /etc/docker
for folder in /run /var/lib /var/log /etc/docker; do cover "$folder"; done
mkdir -p /run/lock

# What a kubelet and a dockerd want of the whole machine they find here, and change nothing.
mkdir -p "$STATE/sysctl"
for wanted in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file="$STATE/sysctl/$(printf %s "${wanted%%=*}" | tr / _)"
  echo "${wanted##*=}" >"$file"
  mount --bind "$file" "/proc/sys/${wanted%%=*}"
done

ip link set lo up
ip address add "$DNS/32" dev lo
echo 1 >/proc/sys/net/ipv4/ip_forward
for kind in all default; do
  if [ -e "/proc/sys/net/ipv6/conf/$kind/disable_ipv6" ]; then echo 1 >"/proc/sys/net/ipv6/conf/$kind/disable_ipv6"; fi
done
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi

# dockerd sets FORWARD to DROP and keeps DOCKER-USER in front: there stands what may pass. The host may open
# connections to everything here; pods and containers may answer it, and open none to the host, to the box's own
# addresses (the API server's among them) or into the other engine. A pod opens connections to cluster DNS and to the
# app's port of pods, and no other. The bridge plugin does not enforce the run's NetworkPolicy; these rules do, but for
# one thing: to them a pod of another run is a pod like any other. The app itself asks for names of its own namespace.
iptables-restore <<RULES
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
:DOCKER-USER -
:PORTSIDE-FORWARD -
:PORTSIDE-INPUT -
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -j PORTSIDE-FORWARD
-A PORTSIDE-FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A PORTSIDE-FORWARD -i $LINK -j ACCEPT
-A PORTSIDE-FORWARD -o $LINK -j REJECT --reject-with icmp-admin-prohibited
-A PORTSIDE-FORWARD -i pods-+ -o pods-+ -p tcp --dport 8080 -j ACCEPT
-A PORTSIDE-FORWARD -i pods-+ -j REJECT --reject-with icmp-admin-prohibited
-A PORTSIDE-FORWARD -o pods-+ -j REJECT --reject-with icmp-admin-prohibited
-A INPUT -j PORTSIDE-INPUT
-A PORTSIDE-INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A PORTSIDE-INPUT -p icmp -j ACCEPT
-A PORTSIDE-INPUT -i lo -j ACCEPT
-A PORTSIDE-INPUT -i $LINK -j ACCEPT
-A PORTSIDE-INPUT -i pods-+ -d $DNS -p udp --dport 53 -j ACCEPT
-A PORTSIDE-INPUT -i pods-+ -d $DNS -p tcp --dport 53 -j ACCEPT
-A PORTSIDE-INPUT -j REJECT --reject-with icmp-admin-prohibited
COMMIT
RULES

read -r _
ip address add "$ADDRESS" dev "$LINK"
ip link set "$LINK" up
exec "$@"
