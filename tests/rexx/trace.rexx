/* TRACE OFF and its function */
trace off; say trace() trace('N') trace('O'); trace 'Off'; say trace()
address system 'exit 3'; say rc
signal on error name failed; address system 'exit 4'; say 'not here'
failed: say 'error' rc condition('C'); exit 0
