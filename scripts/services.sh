#!/usr/bin/env bash
# Runs a command with a PostgreSQL and a MariaDB of its own:
#
#   scripts/services.sh [--durable] [--keep] [--redis] [--pgbouncer] [--mail] COMMAND [ARGUMENT...]
#
# Both are installed with apt where they are missing and that is allowed, listen
# on free ports of 127.0.0.1, keep their data in a temporary folder, and are gone
# with it when the command ends, however it ends. The command finds them in
# MODULAGEN_POSTGRES_DSN and MODULAGEN_MYSQL_DSN; one that is set before is left
# as it is, and no server is started for it. The script's status is the command's.
#
# With --keep a PostgreSQL, MariaDB or PgBouncer that dies is started again, on its
# port and its data. The file that MODULAGEN_POSTGRES_PIDFILE or MODULAGEN_MYSQL_PIDFILE
# names holds the server's process id at the time: a test that kills it sees what
# a crash does. What was committed survives that, though not a power cut.
#
# With --redis there is a Redis as well, which keeps nothing on the disk, in
# MODULAGEN_REDIS_ADDR (host:port); only benchmarks ask for it.
#
# With --pgbouncer there is a PgBouncer in transaction mode before PostgreSQL, in
# MODULAGEN_PGBOUNCER_DSN.
#
# With --mail there are a Postfix and an OpenSMTPD: see mailservers.sh. They begin as root.
#
# Without --durable commits are not flushed to the disk, which suits tests and
# falsifies measurements. Where a server cannot be had, one loud line says so and
# its variable stays unset; with MODULAGEN_REQUIRE_SERVICES=1 that is a failure.
set -o pipefail

durable=no
keep=no
redis=no
pgbouncer=no
mail=no
while :; do
	case "${1:-}" in
	--durable) durable=yes ;;
	--keep) keep=yes ;;
	--redis) redis=yes ;;
	--pgbouncer) pgbouncer=yes ;;
	--mail) mail=yes ;;
	*) break ;;
	esac
	shift
done
if [ $# -eq 0 ]; then
	echo "usage: scripts/services.sh [--durable] [--keep] [--redis] [--pgbouncer] [--mail] COMMAND [ARGUMENT...]" >&2
	exit 2
fi

root=$(mktemp -d "${TMPDIR:-/tmp}/modulagen-services.XXXXXX") || exit 1
chmod 755 "$root"
postgres_pid=
mysql_pid=
redis_pid=
pgbouncer_pid=
postfix_pid=
opensmtpd_pid=

say() { echo "services: $*" >&2; }

# loud says that a server is missing; fatal where servers are required.
loud() {
	say "!!! no $1: $2; ITS TESTS WILL BE SKIPPED !!!"
	if [ "${MODULAGEN_REQUIRE_SERVICES:-}" = 1 ]; then
		exit 1
	fi
}

# ended waits until a process is gone, at most $2 tenths of a second.
ended() {
	local i
	for ((i = 0; i < $2; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

stop() {
	local pid
	trap '' INT TERM
	touch "$root/stopping" # the keepers end with their servers
	if [ $keep = yes ]; then
		[ -n "$postgres_pid" ] && postgres_pid=$(cat "$root/postgres.pid")
		[ -n "$mysql_pid" ] && mysql_pid=$(cat "$root/mysql.pid")
		[ -n "$pgbouncer_pid" ] && pgbouncer_pid=$(cat "$root/pgbouncer.pid")
	fi
	for pid in $postfix_pid $opensmtpd_pid; do as_root kill -TERM "$pid" 2>/dev/null; done
	[ -n "$pgbouncer_pid" ] && kill -TERM "$pgbouncer_pid" 2>/dev/null
	# SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients.
	[ -n "$postgres_pid" ] && kill -INT "$postgres_pid" 2>/dev/null
	[ -n "$mysql_pid" ] && kill -TERM "$mysql_pid" 2>/dev/null
	[ -n "$redis_pid" ] && kill -TERM "$redis_pid" 2>/dev/null
	for pid in $pgbouncer_pid $postgres_pid $mysql_pid $redis_pid; do
		ended "$pid" 100 || kill -KILL "$pid" 2>/dev/null
	done
	for pid in $postfix_pid $opensmtpd_pid; do
		ended "$pid" 100 || as_root kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	[ $mail = no ] || as_root rm -rf "$root"/{postfix,opensmtpd}*
	rm -rf "$root"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# as_root runs a command as root where that needs no password.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

install() {
	command -v apt-get >/dev/null || return 1
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
	say "installing $1"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >"$root/apt.log" 2>&1 && return 0
	as_root apt-get update -q >>"$root/apt.log" 2>&1
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >>"$root/apt.log" 2>&1
}

# as_user puts into "prefix" what makes a program run as the server's own user
# when we are root: PostgreSQL refuses to run as root. A prefix and not a
# function around the program, so that $! is the server and gets the signals.
as_user() {
	prefix=()
	if [ "$(id -u)" = 0 ]; then
		prefix=(setpriv --reuid "$1" --regid "$1" --init-groups)
	fi
}

own() {
	if [ "$(id -u)" = 0 ]; then
		chown "$1" "$2"
	fi
}

free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# ready polls until a command succeeds, for half a minute, while the server lives.
ready() {
	local pid=$1 i
	shift
	for ((i = 0; i < 300; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# serve starts a server in the background, as $server. With --keep that is a
# keeper, which starts the server again whenever it ends, until all is stopped;
# $1 then holds the process id of the server itself.
serve() {
	local pidfile=$1
	shift
	if [ $keep = no ]; then
		"$@" &
		server=$!
		return
	fi
	(
		while [ ! -e "$root/stopping" ]; do
			(
				echo "$BASHPID" >"$pidfile.new" && mv "$pidfile.new" "$pidfile"
				exec "$@"
			)
			sleep 0.2 # PostgreSQL's old backends may be about to end
		done
	) &
	server=$!
}

postgres_bin() {
	local dir
	for dir in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null)" "$(dirname "$(command -v initdb 2>/dev/null)" 2>/dev/null)"; do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
			echo "$dir"
			return 0
		fi
	done
	return 1
}

start_postgres() {
	local bin data=$root/postgres port password try fast=()
	bin=$(postgres_bin) || { install postgresql && bin=$(postgres_bin); } || {
		loud PostgreSQL "it is not installed and cannot be here"
		return
	}
	password=$(secret)
	mkdir "$data" && own postgres "$data"
	# The server's user must be able to read it; nobody else.
	(umask 077 && echo "$password" >"$root/postgres.password")
	own postgres "$root/postgres.password"
	as_user postgres
	(cd "$root" && "${prefix[@]}" "$bin/initdb" -D "$data" -U modulagen -A scram-sha-256 --pwfile="$root/postgres.password" \
		-E UTF8 --locale=C.UTF-8 --no-sync) >"$root/postgres.log" 2>&1 || {
		tail -n 5 "$root/postgres.log" >&2
		loud PostgreSQL "initdb failed"
		return
	}
	[ $durable = no ] && fast=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
	# The system keeps what the server wrote; it must have written what it committed.
	[ $durable$keep = noyes ] && fast=(-c fsync=off)
	for try in 1 2 3; do
		port=$(free_port)
		serve "$root/postgres.pid" "${prefix[@]}" "$bin/postgres" -D "$data" -p "$port" -h 127.0.0.1 -k "$data" \
			-c max_connections=200 "${fast[@]}" >>"$root/postgres.log" 2>&1
		postgres_pid=$server
		if PGPASSWORD=$password ready $postgres_pid "$bin/psql" -h 127.0.0.1 -p "$port" -U modulagen -d postgres -c "SELECT 1"; then
			PGPASSWORD=$password "$bin/psql" -q -h 127.0.0.1 -p "$port" -U modulagen -d postgres -c "CREATE DATABASE modulagen" >&2 || break
			[ $keep = no ] || export MODULAGEN_POSTGRES_PIDFILE=$root/postgres.pid
			export MODULAGEN_POSTGRES_DSN="postgres://modulagen:$password@127.0.0.1:$port/modulagen?sslmode=disable"
			return
		fi
		kill -KILL $postgres_pid 2>/dev/null
		[ $keep = no ] || kill -KILL "$(cat "$root/postgres.pid")" 2>/dev/null
		wait $postgres_pid 2>/dev/null
		postgres_pid=
	done
	tail -n 5 "$root/postgres.log" >&2
	loud PostgreSQL "it does not start"
}

mysql_program() { command -v mariadbd || command -v mysqld || ls /usr/sbin/mariadbd 2>/dev/null; }

start_mysql() {
	local program data=$root/mysql port password try fast=() user=()
	program=$(mysql_program) || { install mariadb-server && program=$(mysql_program); } || {
		loud MariaDB "it is not installed and cannot be here"
		return
	}
	password=$(secret)
	# A folder for temporary tables of its own: in a shared one, servers that are
	# made at the same time delete each other's.
	mkdir "$data" "$root/mysql.tmp" && own mysql "$data" && own mysql "$root/mysql.tmp"
	[ "$(id -u)" = 0 ] && user=(--user=mysql)
	mariadb-install-db --no-defaults --datadir="$data" --tmpdir="$root/mysql.tmp" --auth-root-authentication-method=normal --skip-test-db "${user[@]}" \
		>"$root/mysql.log" 2>&1 || {
		tail -n 5 "$root/mysql.log" >&2
		loud MariaDB "mariadb-install-db failed"
		return
	}
	as_user mysql
	[ $durable = no ] && fast=(--innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0)
	[ $durable$keep = noyes ] && fast=(--innodb-flush-log-at-trx-commit=2)
	for try in 1 2 3; do
		port=$(free_port)
		serve "$root/mysql.pid" "${prefix[@]}" "$program" --no-defaults --datadir="$data" --tmpdir="$root/mysql.tmp" --socket="$data/s" \
			--pid-file="$data/pid" --port="$port" --bind-address=127.0.0.1 --skip-name-resolve --max-connections=200 --skip-log-bin "${fast[@]}" \
			>>"$root/mysql.log" 2>&1
		mysql_pid=$server
		if ready $mysql_pid mariadb --no-defaults -u root -S "$data/s" -e "SELECT 1"; then
			mariadb --no-defaults -u root -S "$data/s" >&2 -e "
				CREATE DATABASE modulagen CHARACTER SET utf8mb4;
				CREATE USER 'modulagen'@'%' IDENTIFIED BY '$password';
				GRANT ALL ON *.* TO 'modulagen'@'%';
				ALTER USER root@localhost IDENTIFIED BY '$password'" || break
			[ $keep = no ] || export MODULAGEN_MYSQL_PIDFILE=$root/mysql.pid
			export MODULAGEN_MYSQL_DSN="mysql://modulagen:$password@127.0.0.1:$port/modulagen"
			return
		fi
		kill -KILL $mysql_pid 2>/dev/null
		[ $keep = no ] || kill -KILL "$(cat "$root/mysql.pid")" 2>/dev/null
		wait $mysql_pid 2>/dev/null
		mysql_pid=
	done
	tail -n 5 "$root/mysql.log" >&2
	loud MariaDB "it does not start"
}

start_redis() {
	local server data=$root/redis port try
	server=$(command -v redis-server) || { install redis-server && server=$(command -v redis-server); } || {
		loud Redis "it is not installed and cannot be here"
		return
	}
	mkdir "$data" && own redis "$data"
	as_user redis
	for try in 1 2 3; do
		port=$(free_port)
		"${prefix[@]}" "$server" --bind 127.0.0.1 --port "$port" --dir "$data" --save "" --appendonly no >>"$root/redis.log" 2>&1 &
		redis_pid=$!
		if ready $redis_pid redis-cli -h 127.0.0.1 -p "$port" ping; then
			export MODULAGEN_REDIS_ADDR=127.0.0.1:$port
			return
		fi
		kill -KILL $redis_pid 2>/dev/null
		wait $redis_pid 2>/dev/null
		redis_pid=
	done
	tail -n 5 "$root/redis.log" >&2
	loud Redis "it does not start"
}

# start_pgbouncer goes by the DSN of the PostgreSQL that there is.
start_pgbouncer() {
	local program data=$root/pgbouncer port try address user password login
	local form='^postgres(ql)?://([^:@/]+):([^@/]+)@([^:/]+):([0-9]+)/'
	[[ ${MODULAGEN_POSTGRES_DSN:-} =~ $form ]] || {
		loud PgBouncer "there is no PostgreSQL for it"
		return
	}
	user=${BASH_REMATCH[2]} password=${BASH_REMATCH[3]} address="host=${BASH_REMATCH[4]} port=${BASH_REMATCH[5]}"
	program=$(command -v pgbouncer || ls /usr/sbin/pgbouncer 2>/dev/null) || { install pgbouncer && program=$(command -v pgbouncer || ls /usr/sbin/pgbouncer); } || {
		loud PgBouncer "it is not installed and cannot be here"
		return
	}
	mkdir "$data" || return
	(umask 077 && echo "\"$user\" \"$password\"" >"$data/users")
	for try in 1 2 3; do
		port=$(free_port)
		cat >"$data/pgbouncer.ini" <<-INI
			[databases]
			* = $address
			[pgbouncer]
			listen_addr = 127.0.0.1
			listen_port = $port
			unix_socket_dir =
			auth_type = scram-sha-256
			auth_file = $data/users
			pool_mode = transaction
			default_pool_size = 5
			max_client_conn = 500
			ignore_startup_parameters = extra_float_digits
		INI
		own postgres "$data" && own postgres "$data/users" && own postgres "$data/pgbouncer.ini"
		as_user postgres
		serve "$root/pgbouncer.pid" "${prefix[@]}" "$program" "$data/pgbouncer.ini" >>"$root/pgbouncer.log" 2>&1
		pgbouncer_pid=$server
		if PGPASSWORD=$password ready $pgbouncer_pid psql -h 127.0.0.1 -p "$port" -U "$user" -d postgres -c "SELECT 1"; then
			login=$user:$password
			export MODULAGEN_PGBOUNCER_DSN="postgres://$login@127.0.0.1:$port/postgres?sslmode=disable"
			return
		fi
		kill -KILL $pgbouncer_pid 2>/dev/null
		[ $keep = no ] || kill -KILL "$(cat "$root/pgbouncer.pid")" 2>/dev/null
		wait $pgbouncer_pid 2>/dev/null
		pgbouncer_pid=
	done
	tail -n 5 "$root/pgbouncer.log" >&2
	loud PgBouncer "it does not start"
}

if [ $mail = yes ]; then
	# shellcheck source=scripts/mailservers.sh
	. "$(dirname "$0")/mailservers.sh"
	fetch_mail
fi
[ -n "${MODULAGEN_POSTGRES_DSN:-}" ] || start_postgres
[ -n "${MODULAGEN_MYSQL_DSN:-}" ] || start_mysql
[ $pgbouncer = no ] || [ -n "${MODULAGEN_PGBOUNCER_DSN:-}" ] || start_pgbouncer
[ $redis = no ] || [ -n "${MODULAGEN_REDIS_ADDR:-}" ] || start_redis
if [ $mail = yes ]; then
	[ -n "${MODULAGEN_POSTFIX_ADDR:-}" ] || start_postfix
	[ -n "${MODULAGEN_OPENSMTPD_ADDR:-}" ] || start_opensmtpd
fi
command -v sqlite3 >/dev/null || install sqlite3 || loud sqlite3 "it is not installed and cannot be here"

# In the background, so that a signal reaches the trap at once; a shell without
# job control would have such a command ignore SIGINT.
(
	trap - INT
	exec "$@"
) <&0 &
command=$!
trap 'kill -INT $command 2>/dev/null; wait $command; exit 130' INT
trap 'kill -TERM $command 2>/dev/null; wait $command; exit 143' TERM
wait $command
exit $?
