/* functions, PROCEDURE EXPOSE, recursion, results */
x = 1; y = 2; z.1 = 'shared'
call sub; say x y z.1 z.2
say factorial(20) fibonacci(15) hanoi(5, 'a', 'b', 'c') ackermann(2, 3)
call noresult; say symbol('result')
list = 'p q'; p = 3; q = 4; call exposed; say p q
exit
sub: procedure expose x z.
  x = x + 10; y = 'hidden'; z.2 = 'set'; return
factorial: procedure; parse arg n; numeric digits 30; if n < 2 then return 1; return n * factorial(n - 1)
fibonacci: procedure; parse arg n; if n < 2 then return n; return fibonacci(n - 1) + fibonacci(n - 2)
hanoi: procedure; parse arg n, a, b, c; if n = 0 then return 0; return hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a)
ackermann: procedure
  parse arg m, n
  if m = 0 then return n + 1
  if n = 0 then return ackermann(m - 1, 1)
  return ackermann(m - 1, ackermann(m, n - 1))
noresult: return
exposed: procedure expose (list); p = p * 2; q = q * 2; return
