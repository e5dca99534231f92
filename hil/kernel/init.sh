#!/bin/sh
# First and only process of the guest: file systems, CAN modules, vcan0, then the command, then off.
# The root is the host's own, read-only; only $HIL_OUT can be written. Kernel argument: hil_dir=DIR.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc none /proc
mount -t sysfs none /sys
mount -t tmpfs none /run
mkdir -p /dev/shm /dev/pts /run/out
mount -t tmpfs none /dev/shm
mount -t devpts none /dev/pts
dir=$(sed -n 's/.*hil_dir=\([^ ]*\).*/\1/p' /proc/cmdline)
mount -t hostfs none /run/out -o "$dir"
HIL_OUT=/run/out TMPDIR=/dev/shm HOME=/dev/shm
export HIL_OUT TMPDIR HOME
uptime() { cut -d' ' -f1 /proc/uptime; }
echo "HIL-MARK init $(uptime)"
modules=/usr/lib/uml/modules/$(uname -r)/kernel
for name in net/can/can net/can/can-raw drivers/net/can/dev/can-dev drivers/net/can/vcan \
    drivers/net/can/slcan/slcan; do
  insmod "$modules/$name.ko" || echo "HIL-FAIL module $name"
done
ip link add vcan0 type vcan && ip link set vcan0 up && ip link set lo up || echo "HIL-FAIL vcan0"
echo "HIL-MARK vcan0 $(uptime)"
sh /run/out/command.sh
code=$?
echo # the command may not have ended its last line
echo "HIL-EXIT $code"
sync
echo o > /proc/sysrq-trigger
sleep 10
