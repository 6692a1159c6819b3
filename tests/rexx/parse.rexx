/* PARSE: words, columns, patterns, variables as patterns, the placeholder */
parse value 'The quick  brown fox' with a b c d; say '['a'|' || b'|'c'|'d']'
parse value '  lead and trail  ' with v; say '['v']'
parse value '  lead and trail  ' with v .; say '['v']'
parse value 'key=value; rest of it' with key '=' value ';' rest; say '['key'|'value'|'rest']'
parse value '1234567890' with 3 a 5 b +2 c -1 d; say a b c d
parse value 'a/b/c' with p (sep) q; say '['p'|'q']'
sep = '/'; parse value 'a/b/c' with p (sep) q (sep) r; say p q r
n = 4; parse value 'abcdefgh' with x =(n) y +2 z; say x y z
parse upper value 'Mixed Case' with u v; say u v
parse value 'one two three' with . second .; say second
call arguments 'first one', , 'third'
parse version v; say (words(v) >= 4)
parse value '' with empty rest; say '['empty'|'rest']'
parse value 'a,b,,d' with e.1 ',' e.2 ',' e.3 ',' e.4; do i = 1 to 4; say i '['e.i']'; end
exit
arguments: procedure
  parse arg v y, z, w
  say '['v'|' || y'|'z'|'w']' arg() arg(2, 'E') arg(2, 'O')
  return
