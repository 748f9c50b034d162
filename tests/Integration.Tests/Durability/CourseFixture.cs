using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Tracing;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>The course of all commands, recorded once for the tests of a class, for each who runs it.</summary>
public sealed class CourseFixture(RegistryFixture registry) : IDisposable
{
    private readonly Scratch _scratch = new();
    private RecordedCourse? _own;
    private RecordedCourse? _others;

    internal Scratch Scratch => _scratch;

    /// <summary>Our course; skips the test where it cannot be recorded.</summary>
    internal async Task<RecordedCourse> GetAsync(CancellationToken cancellationToken) =>
        _own ??= await RecordAsync(() => Account.Self, cancellationToken);

    /// <summary>The course of somebody without privileges.</summary>
    internal async Task<RecordedCourse> GetOthersAsync(CancellationToken cancellationToken) =>
        _others ??= await RecordAsync(() => Account.SomebodyElse(_scratch), cancellationToken);

    public void Dispose() => _scratch.Dispose();

    private async Task<RecordedCourse> RecordAsync(Func<Account> account, CancellationToken cancellationToken)
    {
        registry.Need();
        await Strace.NeedAsync();
        var who = account();
        var mixed = await MixedCourse.MakeAsync(registry, _scratch.NewFolder("images"), who.Unpacks);
        return await RecordedCourse.RunAsync(mixed.Steps, mixed.Mountable, who, _scratch, cancellationToken);
    }
}
