using ImageStore.Cli;
using ImageStore.Cli.Output;

Console.SetOut(StandardOutput.Writer());
using var signals = new StopSignals();
return await CommandLine.RunAsync(args, signals).ConfigureAwait(false);
