/* the return code of the whole */
call inner 3; say result; x = inner(4) + 1; say x; exit inner(5) * 2
inner: return arg(1) * 2
