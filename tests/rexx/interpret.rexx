/* INTERPRET and VALUE */
interpret 'say "built" 1 + 2'
name = 'dynamic'; interpret name '= 42'; say dynamic
do i = 1 to 3; interpret 'v'i '= i * 10'; end; say v1 v2 v3
call value 'st.5', 'five'; say st.5
code = 'do k = 1 to 3; call charout , k" "; end; say'; interpret code
