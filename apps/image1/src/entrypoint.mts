// The whole program of Image 1. `.mts`, so that Node runs this one file as a module without a package.json beside it.
console.log('Hello from Image 1!');
console.log('This is the primary container in our multi-image build.');
console.log(`Timestamp: ${new Date().toISOString()}`);
