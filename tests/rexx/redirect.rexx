/* commands of the system, their streams redirected; and one that fails */
trace off
in.0 = 2; in.1 = 'a'; in.2 = 'b'
address system 'cat -n' with input stem in. output stem out.
say out.0 strip(out.1) strip(out.2)
address system 'echo wrong >&2; exit 4' with error stem e.
say rc e.0 e.1
file = '/tmp/redirect.txt'
address system 'rm -f' file
do 2; address system 'echo more' with output append stream file; end
do while lines(file); say linein(file); end
call lineout file
address system 'echo first; echo second' with output fifo ''
do queued(); parse pull line; say line; end
address system 'echo first; echo second' with output lifo ''
do queued(); parse pull line; say line; end
call value 'REDIRECT', 'seen by children', 'SYSTEM'
address system 'echo $REDIRECT' with output stem out.
say out.0 out.1
signal on error name failed
address system 'false'
say 'not here'
failed: say 'failed' rc condition('C') sigl
exit 3
