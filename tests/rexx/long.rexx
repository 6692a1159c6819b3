/* long strings and long numbers */
s = ''; do i = 1 to 2000; s = s || d2c(97 + i // 26); end; say length(s) substr(s, 1990) pos('zab', s, 100) countstr('a', s)
numeric digits 200; say 2 ** 500; say 7 ** 100 // 1000007
t = copies('0123456789', 10000); say length(t) right(t, 12) lastpos('0', t) c2x(left(t, 3)) words(copies('w ', 5000))
numeric digits 60; r = 2; do 8; r = (r + 2 / r) / 2; end; say r
