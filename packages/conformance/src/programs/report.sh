#!/bin/sh
# The program under test, in POSIX shell: it does what its arguments say, one after another, and reports what it sees.
# The instructions are described in ../instructions.ts; report.js does the same, and more, with Node.
PATH=/usr/bin:/bin

# The words of a field of /proc/PID/status.
field() {
  while read -r key words; do
    # Unquoted: the words are wanted, not the white space between them.
    if [ "$key" = "$1:" ]; then echo $words; fi
  done < "/proc/$$/status"
}

# Soft and hard value of a line of /proc/PID/limits.
limit() {
  while read -r line; do
    case $line in
      "$1 "*) set -- ${line#"$1"}; echo "$1 $2"; return ;;
    esac
  done < "/proc/$$/limits"
}

# One field of /proc/PID/stat, by its number in proc(5); the program's name has no space here.
stat() {
  read -r line < "/proc/$$/stat"
  number=$1
  set -- $line
  shift $((number - 1))
  echo "$1"
}

while [ $# -gt 0 ]; do
  word=$1
  value=${word#*:}
  shift
  case $word in
    out:*) printf '%b' "$value" ;;
    err:*) printf '%b' "$value" >&2 ;;
    count:*)
      number=${value%:*}
      last=${value#*:}
      while [ "$number" -le "$last" ]; do
        printf '%d\n' "$number"
        number=$((number + 1))
      done ;;
    fill:*) printf "%0${value}d" 0 ;;
    fillerr:*) printf "%0${value}d" 0 >&2 ;;
    cat) if [ $# -eq 0 ]; then exec cat; else cat; fi ;;
    read) IFS= read -r line || : ;;
    eof) cat > /dev/null ;;
    length) set -- "out:$(($(wc -c)))" "$@" ;;
    close:in) exec <&- ;;
    close:out) exec >&- ;;
    close:err) exec 2>&- ;;
    args) if [ $# -gt 0 ]; then printf '%s\0' "$@"; fi; exit 0 ;;
    env) cat "/proc/$$/environ" ;;
    cwd) pwd -P ;;
    umask) umask ;;
    pid) echo $$ ;;
    session) echo "$$ $(stat 5) $(stat 6) $PPID" ;;
    uid) field Uid ;;
    gid) field Gid ;;
    groups) field Groups ;;
    caps) for name in CapInh CapPrm CapEff CapBnd CapAmb; do field $name; done ;;
    nnp) field NoNewPrivs ;;
    affinity) field Cpus_allowed_list ;;
    nice) stat 19 ;;
    signals) field SigBlk; field SigIgn ;;
    label) cat "/proc/$$/attr/current" ;;
    limit:memLock) limit 'Max locked memory' ;;
    limit:processes) limit 'Max processes' ;;
    limit:files) limit 'Max open files' ;;
    limit:core) limit 'Max core file size' ;;
    limit:addressSpace) limit 'Max address space' ;;
    limit:cpu) limit 'Max cpu time' ;;
    limit:data) limit 'Max data size' ;;
    limit:fileSize) limit 'Max file size' ;;
    limit:stack) limit 'Max stack size' ;;
    fds) ls -l "/proc/$$/fd" ;;
    fd-read:[3-9]) eval "cat <&$value" ;;
    fd-write:[3-9]:*) eval "printf '%b' \"\${value#?:}\" >&${value%%:*}" ;;
    write-file:*) : > "$value" ;;
    ignore:*) trap '' "$value" ;;
    dump-core) ulimit -c unlimited ;;
    kill:*) kill -s "$value" $$ ;;
    sleeper) sleep 60 & echo $! ;;
    forever) exec sleep 60 ;;
    exit:*) exit "$value" ;;
    *) echo "report.sh: unknown instruction $word" >&2; exit 99 ;;
  esac
done
