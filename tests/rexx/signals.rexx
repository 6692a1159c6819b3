/* condition traps */
signal on syntax name bad; x = 'abc' + 1; say 'not here'
bad: say 'syntax' rc condition('C') sigl
signal on novalue; y = unset.1
novalue: say 'novalue' condition('D') sigl
call on error name failed; signal off novalue
signal on syntax name again; say substr()
again: say 'again' rc; signal on syntax name divided; say 1 / 0
divided: say 'divided' rc errortext(rc); signal value 'CALCU' || 'LATED'
say 'jumped over'
calculated: say 'by value'
signal on halt; signal off halt; say trace()
signal on syntax name last; interpret 'do 3; say "x"'
last: say 'interpret' rc
exit
failed: return
