console.log('Nothing to reconcile.');
