/* programs as people write them: sorts, primes, words, a queue of queens */
list = '42 7 19 3 88 1 56 23 9'; n = words(list); do i = 1 to n; a.i = word(list, i); end
do i = 2 to n; x = a.i; j = i - 1; do while j > 0; if a.j <= x then leave; k = j + 1; a.k = a.j; j = j - 1; end; k = j + 1; a.k = x; end
do i = 1 to n; call charout , a.i' '; end; say
p. = 1; do i = 2 to 100; if p.i then do; call charout , i' '; do j = i * i to 100 by i; p.j = 0; end; end; end; say
text = 'the rain in spain stays mainly in the plain'; seen. = 0; order = ''
do i = 1 to words(text); w = word(text, i); if \seen.w then order = order w; seen.w = seen.w + 1; end
do i = 1 to words(order); w = word(order, i); say left(w, 8) seen.w; end
say gcd(1071, 462) palindrome('A man a plan a canal Panama') collatz(27) roman(1994) queens(6)
exit
gcd: procedure; parse arg a, b; do while b \= 0; parse value b a // b with a b; end; return a
palindrome: procedure; arg s; s = space(s, 0); return s == reverse(s)
collatz: procedure; arg n; c = 0; do while n > 1; if n // 2 then n = 3 * n + 1; else n = n % 2; c = c + 1; end; return c
roman: procedure; arg n; r = ''; v = '1000 900 500 400 100 90 50 40 10 9 5 4 1'; s = 'M CM D CD C XC L XL X IX V IV I'
  do i = 1 to 13; do while n >= word(v, i); r = r || word(s, i); n = n - word(v, i); end; end; return r
queens: procedure; arg n; found = 0; q. = 0; call place 1; return found
place: procedure expose q. n found
  arg row; if row > n then do; found = found + 1; return; end
  do col = 1 to n
    ok = 1; do r = 1 to row - 1; if q.r = col | abs(q.r - col) = row - r then do; ok = 0; leave; end; end
    if ok then do; q.row = col; call place row + 1; end
  end
  return
