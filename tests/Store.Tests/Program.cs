using ImageStore.Store.Tests.Metadata;

if (Environment.GetEnvironmentVariable(CommittingChild.Variable) is { Length: > 0 } directory)
{
    await CommittingChild.CommitForeverAsync(directory);
}

return args.Any(arg => arg is "--server" or "--internal-msbuild-node")
    ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(
        args, ImageStore.Store.Tests.SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
