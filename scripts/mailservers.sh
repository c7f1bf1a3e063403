# start_postfix and start_opensmtpd of services.sh, which sources this.
#
# Debian lets one of the two be installed, starts it, and both have users and folders of
# their own. So neither is installed: its package is unpacked into a folder, with the
# libraries that it needs, and that is the server's root (chroot), with users, queue and
# configuration. Both have to begin as root, to change their users.
#
# A server takes mail for ann, bob and cy @example.com, refuses any other recipient, and
# delivers to Maildirs: MODULAGEN_POSTFIX_ADDR is its host:port, MODULAGEN_POSTFIX_DIR the
# folder with mail/ann/new; MODULAGEN_OPENSMTPD_ADDR and _DIR likewise. Postfix speaks
# STARTTLS, and is verified by the certificate.pem of its folder. OpenSMTPD does not: Debian
# 12's, started so, fails at each handshake ("SSL routines::EVP lib", with RSA and EC keys).

mail_users="ann bob cy"
mail_uid=$(id -u) # the command must be able to read what arrived
[ "$mail_uid" != 0 ] || mail_uid=65534

# jail makes a root folder for the programs $4 of a Debian package, $1, with users $2 and groups $3.
jail() {
	local dir=$root/$1 deb library
	mkdir -p "$dir"/{dev,etc,mail,run,tmp,usr/bin,usr/lib,usr/lib64,usr/sbin} || return 1
	for library in bin lib lib64 sbin; do ln -s "usr/$library" "$dir/$library"; done
	chmod 1777 "$dir/tmp"
	wait "${fetching[$1]}" || { as_root apt-get update -q >>"$root/apt.log" 2>&1 && fetch "$1"; } || return 1
	for deb in "$root/$1.debs"/*.deb; do
		# tar, and not dpkg-deb -x: what is below lib belongs below the link.
		dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --keep-directory-symlink -C "$dir" || return 1
	done
	libraries "$dir" $4 || return 1
	printf '%s\n' root:x:0:0::/:/bin/sh nobody:x:65533:65533::/:/bin/sh box:x:$mail_uid:65534::/mail:/bin/sh "$2" >"$dir/etc/passwd"
	printf '%s\n' root:x:0: nobody:x:65533: box:x:65534: "$3" >"$dir/etc/group"
	echo "127.0.0.1 localhost" >"$dir/etc/hosts"
	as_root mknod -m 666 "$dir/dev/null" c 1 3 2>/dev/null || { : >"$dir/dev/null" && chmod 666 "$dir/dev/null"; }
	as_root chown -R root:root "$dir" && as_root chown "$mail_uid" "$dir/mail"
}

# fetch_mail downloads both packages, while other servers start.
declare -A fetching
fetch_mail() {
	local package
	for package in postfix opensmtpd; do
		fetch $package &
		fetching[$package]=$!
	done
}

# fetch downloads a package, and those that it needs and the machine has not. It installs
# nothing, and needs no lock on what is installed.
fetch() {
	mkdir -p "$root/$1.debs/partial"
	command -v apt-get >/dev/null && as_root apt-get install -d -y -q --reinstall --no-install-recommends \
		-o Dir::Cache::archives="$root/$1.debs" -o Debug::NoLocking=1 "$1" >>"$root/$1.apt.log" 2>&1
}

# libraries copies into the root $1 what its programs, the others, are linked with, and sh for
# OpenSMTPD's deliveries: the machine's own libraries, but for those that were unpacked.
libraries() {
	local dir=$1 own found
	shift
	own=$(find "$dir/usr/lib" -maxdepth 2 -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
	found=$(cd "$dir" && LD_LIBRARY_PATH=$own ldd "$@" /bin/sh | grep -oE '(=> |^[[:space:]]+)/[^ ]+' | grep -oE '/.*' | grep -vF "$dir/" | sort -u)
	[ -n "$found" ] || return 1
	# shellcheck disable=SC2086 # a list of files
	(cd "$dir" && cp -L --parents /bin/sh $found .)
}

# certify makes a certificate for 127.0.0.1 that is its own authority.
certify() {
	command -v openssl >/dev/null || install openssl || return 1
	as_root openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=modulagen -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$1/etc/key.pem" -out "$1/certificate.pem" >>"$root/postfix.log" 2>&1
}

# in_jail starts a program with $1 as its root, as $server. A session of its own, because
# Postfix ends by a signal to its process group.
in_jail() {
	local as=()
	[ "$(id -u)" = 0 ] || as=(sudo -n)
	"${as[@]}" setsid chroot "$@" &
	server=$!
}

# greets waits until the mail server $1 answers on port $2, for half a minute, while it lives.
greets() {
	local end=$((SECONDS + 30))
	while [ $SECONDS -lt $end ] && as_root kill -0 "$1" 2>/dev/null; do
		(exec 3<>"/dev/tcp/127.0.0.1/$2" && read -r -t 10 line <&3 && [ "${line:0:4}" = "220 " ]) 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

start_postfix() {
	local dir=$root/postfix port try known=
	jail postfix "$(printf '%s\n' postfix:x:65531:65531::/:/bin/sh)" "$(printf '%s\n' postfix:x:65531: postdrop:x:65530:)" "usr/lib/postfix/sbin/master usr/lib/postfix/sbin/smtpd" || {
		as_root tail -n 3 "$root/postfix.apt.log" "$root/postfix.log" >&2
		loud Postfix "its package cannot be unpacked here, as root"
		return
	}
	certify "$dir" || {
		as_root tail -n 3 "$root/postfix.log" >&2
		loud Postfix "openssl makes no certificate"
		return
	}
	for try in $mail_users; do known+="{$try@example.com=$try/} "; done
	for try in 1 2 3; do
		port=$(free_port)
		as_root tee "$dir/etc/postfix/main.cf" >/dev/null <<-CF
			compatibility_level = 3.6
			myhostname = postfix.example
			mydestination =
			alias_maps =
			alias_database =
			inet_interfaces = 127.0.0.1
			inet_protocols = ipv4
			mynetworks = 127.0.0.0/8
			smtpd_peername_lookup = no
			smtpd_recipient_restrictions = reject_unauth_destination
			smtpd_tls_cert_file = /certificate.pem
			smtpd_tls_key_file = /etc/key.pem
			smtpd_tls_security_level = may
			tls_random_source = /etc/entropy
			default_transport = error:nothing leaves this machine
			virtual_mailbox_domains = example.com
			virtual_mailbox_base = /mail
			virtual_mailbox_maps = inline:{ $known}
			virtual_uid_maps = static:$mail_uid
			virtual_gid_maps = static:65534
			virtual_mailbox_limit = 0
			message_size_limit = 52428800
			maillog_file = /var/log/postfix
		CF
		as_root tee "$dir/etc/postfix/master.cf" >/dev/null <<-CF
			127.0.0.1:$port inet n - n - - smtpd
			cleanup unix n - n - 0 cleanup
			qmgr unix n - n 300 1 qmgr
			rewrite unix - - n - - trivial-rewrite
			bounce unix - - n - 0 bounce
			defer unix - - n - 0 bounce
			proxymap unix - - n - - proxymap
			virtual unix - n n - - virtual
			error unix - - n - - error
			retry unix - - n - - error
			anvil unix - - n - 1 anvil
			tlsmgr unix - - n 1000? 1 tlsmgr
			postlog unix-dgram n - n - 1 postlogd
		CF
		as_root dd if=/dev/urandom of="$dir/etc/entropy" bs=512 count=1 status=none
	postfix_folders "$dir/var"
		in_jail "$dir" /usr/lib/postfix/sbin/master -d >>"$root/postfix.log" 2>&1
		postfix_pid=$server
		if greets $postfix_pid "$port"; then
			export MODULAGEN_POSTFIX_ADDR=127.0.0.1:$port MODULAGEN_POSTFIX_DIR=$dir
			return
		fi
		as_root kill -TERM $postfix_pid 2>/dev/null
		wait $postfix_pid 2>/dev/null
		postfix_pid=
	done
	as_root tail -n 5 "$root/postfix.log" "$dir/var/log/postfix" >&2
	loud Postfix "it does not start"
}

# postfix_folders makes what Debian's installation makes.
postfix_folders() {
	local queue=$1/spool/postfix
	as_root mkdir -p "$1"/log "$1"/lib/postfix "$queue"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace,maildrop,public,pid}
	as_root chown 65531 "$1/lib/postfix" "$queue"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace,maildrop,public}
	as_root chgrp 65530 "$queue"/{maildrop,public}
	as_root chmod 700 "$queue"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace}
	as_root chmod 730 "$queue/maildrop"
	as_root chmod 710 "$queue/public"
}

start_opensmtpd() {
	local dir=$root/opensmtpd port try known= boxes=
	jail opensmtpd "$(printf '%s\n' opensmtpd:x:65531:65531::/:/bin/sh opensmtpq:x:65530:65530::/:/bin/sh)" \
		"$(printf '%s\n' opensmtpd:x:65531: opensmtpq:x:65530:)" "usr/sbin/smtpd" || {
		as_root tail -n 3 "$root/opensmtpd.apt.log" "$root/opensmtpd.log" >&2
		loud OpenSMTPD "its package cannot be unpacked here, as root"
		return
	}
	for try in $mail_users; do known+="\"$try@example.com\" " boxes+="\"$try@example.com\" = box "; done
	as_root mkdir -p "$dir/var/lib/opensmtpd/empty" "$dir/var/spool/smtpd"
	as_root ln -sfn ../run "$dir/var/run"
	as_root chmod 711 "$dir/var/spool/smtpd"
	for try in 1 2 3; do
		port=$(free_port)
		as_root tee "$dir/etc/smtpd.conf" >/dev/null <<-CF
			table known { $known}
			table boxes { $boxes}
			listen on 127.0.0.1 port $port hostname opensmtpd.example
			action deliver maildir "/mail/%{dest.user}" virtual <boxes>
			match from any for rcpt-to <known> action deliver
			smtp max-message-size 50M
		CF
		in_jail "$dir" /usr/sbin/smtpd -d -f /etc/smtpd.conf >>"$root/opensmtpd.log" 2>&1
		opensmtpd_pid=$server
		if greets $opensmtpd_pid "$port"; then
			export MODULAGEN_OPENSMTPD_ADDR=127.0.0.1:$port MODULAGEN_OPENSMTPD_DIR=$dir
			return
		fi
		as_root kill -TERM $opensmtpd_pid 2>/dev/null
		wait $opensmtpd_pid 2>/dev/null
		opensmtpd_pid=
	done
	as_root tail -n 5 "$root/opensmtpd.log" >&2
	loud OpenSMTPD "it does not start"
}
