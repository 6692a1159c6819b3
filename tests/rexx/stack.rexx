/* the external data queue */
queue 'first'; queue 'second'; push 'before'; say queued()
do while queued() > 0; parse pull line; say '['line']'; end
queue ' kept  as is '; parse pull a; say '['a']'; queue 'UP down'; pull u; say u
do i = 1 to 1000; queue i; end; sum = 0; do while queued() > 0; pull n; sum = sum + n; end; say sum
queue ''; parse pull e; say length(e) queued()
queue copies('long ', 1000); parse pull l; say length(l)
