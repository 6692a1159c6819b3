/* DO in all its forms, ITERATE, LEAVE, SELECT */
do 3; call charout , 'x '; end; say
do i = 10 to 1 by -3; call charout , i' '; end; say i
do i = 1 for 4 by 0.5; call charout , i' '; end; say
do i = 1 while i * i < 50; nop; end; say i
do until j = 3; if symbol('j') = 'LIT' then j = 0; j = j + 1; end; say j
do a = 1 to 3
  do b = 1 to 3
    if b = 2 then iterate a
    if a = 3 then leave a
    say a b
  end b
end a
n = 0; do forever; n = n + 1; if n // 2 then iterate; if n > 8 then leave; call charout , n' '; end; say
do k = 3 to 1; say 'never'; end; say k
do x = 1 to 5
  select
    when x = 1 then say 'one'
    when x = 2 then do; say 'two'; say 'really'; end
    when x = 3 then nop
    otherwise say 'many' x
  end
end
if 1 then if 0 then say 'a'; else say 'dangling else'
