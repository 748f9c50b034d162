using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Tests.Whole;

/// <summary>A shim that is killed while its OCI runtime works: nothing may be left, or come later.</summary>
public sealed class OrphanTests
{
    // What sleeps has the runtime's arguments: what it left running beside, as a hook may, is not looked for.
    [Theory]
    [InlineData("[ $verb != create ] || exec perl -e 'sleep 1000' -- \"$@\"")]
    [InlineData("[ $verb != create ] || perl -e 'sleep 4' -- \"$@\"")]
    [InlineData("if [ $verb = create ]; then runc \"$@\"; exec perl -e 'sleep 1000' -- \"$@\"; fi")]
    public async Task Delete_AfterAShimThatWasKilledWithinCreate_LeavesNothing(string script)
    {
        await using var bundle = new ShimBundle();
        bundle.WriteRuntime($"[ $verb != create ] || touch {bundle.In("begun")}\n{script}");
        var client = await bundle.ConnectAsync(await bundle.StartAsync());
        var creating = bundle.CreateAsync(client);
        await ShimBundle.UntilAsync(() => File.Exists(bundle.In("begun")), "the runtime does not begin");
        await Task.Delay(500);
        Assert.Equal(0, Signals.Send(Assert.Single(bundle.Shims()), Signals.Kill));
        await Assert.ThrowsAnyAsync<Exception>(() => creating);
        await bundle.DeleteAsync();
        Assert.Empty(bundle.Left());

        // Nor does whoever slept go on to make the container.
        await Task.Delay(TimeSpan.FromSeconds(4));
        Assert.Empty(bundle.Left());
    }

    [Fact]
    public async Task Delete_AfterAShimThatWasKilledBesideItsContainer_LeavesNothing()
    {
        await using var bundle = new ShimBundle();
        var client = await bundle.ConnectAsync(await bundle.StartAsync());
        await bundle.CreateAsync(client);
        await bundle.StartTaskAsync(client);
        Assert.Equal(0, Signals.Send(Assert.Single(bundle.Shims()), Signals.Kill));
        await File.WriteAllTextAsync(Path.Combine(bundle.Bundle, "options.json"), "{\"binary_name\":\"");
        await bundle.DeleteAsync();
        await File.WriteAllTextAsync(Path.Combine(bundle.Bundle, "options.json"), $"{{\"root\":\"{bundle.In("state")}\"}}");
        await bundle.DeleteAsync();
        Assert.Empty(bundle.Left());
    }
}
