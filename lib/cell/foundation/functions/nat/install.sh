#!/bin/bash
# Makes an instance of Amazon Linux 2023 do NAT, and tells CloudFormation whether it does. Expects stack, resource and region.

# The package manager takes more memory than half a gibibyte.
if [ ! -e /swap ]; then
  dd if=/dev/zero of=/swap bs=1M count=1024 status=none && chmod 600 /swap && mkswap /swap && swapon /swap
  echo '/swap none swap defaults 0 0' >> /etc/fstab
fi

# Something else may hold the package manager's lock, or its servers may not be reached yet.
for pause in 5 10 20 40 60 60 120 120 0; do
  dnf install -y iptables-services aws-cfn-bootstrap && break
  sleep "$pause"
done

cat > /usr/local/sbin/nat <<'END'
#!/bin/bash
# What comes from the cell goes out under this instance's address. Fails where it doesn't.
set -eu
sysctl -q -w net.ipv4.ip_forward=1
out=$(ip -o -4 route show default | awk '{ print $5; exit }')
iptables -t nat -C POSTROUTING -o "$out" -j MASQUERADE 2>/dev/null || iptables -t nat -A POSTROUTING -o "$out" -j MASQUERADE
iptables -F FORWARD
iptables -P FORWARD ACCEPT
END
chmod 755 /usr/local/sbin/nat

# Each minute again: whatever takes the rule away, or starts the instance anew, is put right.
printf '%s\n' '[Service]' 'Type=oneshot' 'ExecStart=/usr/local/sbin/nat' > /etc/systemd/system/nat.service
printf '%s\n' '[Timer]' 'OnBootSec=5' 'OnUnitInactiveSec=60' '[Install]' 'WantedBy=timers.target' > /etc/systemd/system/nat.timer
systemctl daemon-reload
systemctl enable --now nat.timer

/usr/local/sbin/nat
/opt/aws/bin/cfn-signal --exit-code $? --reason 'the NAT instance can not route' --stack "$stack" --resource "$resource" --region "$region"
