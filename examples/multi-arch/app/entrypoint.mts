// The whole program of the app.
console.log('Hello from Image 1!');
console.log('This is the primary container in our multi-image build.');
console.log(`Timestamp: ${new Date().toISOString()}`);
