/* comments /* nest */, continue, */ say 'lines',
  'continue' ; say 'two'; say 'on one line'
say 'a'/* between */'b' "quotes 'in' quotes" 'and "so"'
say 'x'; ; ; say 'empty clauses'
say 'very' ,
  'long' ,
  'clause'
label: say 'labels' ; another: nop
IF 1 = 1 THEN SAY 'case'; Else say 'no'
say a.b.c D e; e = 'Value'; say e E
say '/* not a comment */' "--" '-' 'end'
